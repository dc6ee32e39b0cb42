/** Running a piece of code: what the executor asks of the runner, and what comes back (both as forms: see `shared/code-form.ts`). */
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { NewFile } from "./file.ts";

/** A file of a workspace, laid into a sandbox. */
export const LaidFile = z.object({ path: z.string(), content: z.instanceof(Uint8Array) });
export type LaidFile = z.infer<typeof LaidFile>;

/** `POST /run` at the runner, as a form; an executor of a version before sends it as JSON. */
export const CodeRequest = z.object({
  /** JavaScript or TypeScript, or a script of the shell. */
  language: z.prefault(z.enum(["javascript", "bash"]), "javascript"),
  code: z.string(),
  /** Whether JavaScript may run scripts of bash over its workspace. */
  bash: z.prefault(z.boolean(), false),
  /** What it finds in its workspace. */
  files: z.prefault(z.array(LaidFile), []),
  /** Wall-clock time it may take once it has begun. */
  wallMs: z.int(),
  /** Time it may wait for others before it begins, where they run one at a time. */
  startWithinMs: z.int(),
});
export type CodeRequest = z.infer<typeof CodeRequest>;

export const codeRequestExample: CodeRequest = {
  language: "javascript",
  code: "6 * 7",
  bash: false,
  files: [],
  wallMs: 5_000,
  startWithinMs: 60_000,
};

/** One more than is kept, so that it is noticed when something was cut. */
const OUTPUT_CHARS_MAX = LIMITS.output_chars_max + 1;
const Output = z.string().check(z.maxLength(OUTPUT_CHARS_MAX));

/** What code returned, as it is shown to people and models, and as JSON: `42` and `"42"` look the same, and are not. */
const CodeValue = z.object({
  shown: Output,
  /** Null: it is too long. Whoever wrote it is not trusted to have written JSON. */
  json: z.nullable(z.string().check(z.maxLength(LIMITS.value_chars_max), z.refine(isJson))),
});
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export type CodeValue = z.infer<typeof CodeValue>;

const Change = z.object({ path: z.string(), content: z.nullable(z.instanceof(Uint8Array)) });

/** What came of a piece of code. Failures of the code are results, not errors. */
export const CodeResult = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("done"),
    /** What it printed, line by line. */
    printed: Output,
    /** What it returned, of a script its exit code; null when it returned nothing. */
    value: z.nullable(CodeValue),
    error: z.nullable(Output),
    /** What it saved. */
    files: z.array(NewFile).check(z.maxLength(LIMITS.files_per_call_max)),
    /** What is other than it was laid into its workspace; null where a file is gone. Whoever made the names is not trusted with them. */
    changes: z.prefault(z.array(Change).check(z.maxLength(2 * LIMITS.workspace_files_max)), []),
  }),
  /** The message names its line. */
  z.object({ kind: z.literal("syntax_error"), message: Output }),
  z.object({ kind: z.literal("timed_out") }),
  /** It never began: others took too long before it. */
  z.object({ kind: z.literal("not_started") }),
  /** Code cannot be run at all: the plan has no Dynamic Workers. */
  z.object({ kind: z.literal("no_isolates") }),
]);
export type CodeResult = z.infer<typeof CodeResult>;

export const codeResultExample: CodeResult = {
  kind: "done",
  printed: "hello",
  value: { shown: "42", json: "42" },
  error: null,
  files: [],
  changes: [],
};
