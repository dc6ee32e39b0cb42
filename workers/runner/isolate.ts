/** Code in a Dynamic Worker of its own: fresh for every run, no network, no bindings, output and time bounded. */
import { transform } from "sucrase";
import * as z from "zod/mini";
import type { CodeResult, RunCodeRequest } from "../../shared/contracts/rpc.ts";
import { readBody } from "../../shared/body.ts";
import { LIMITS } from "../../shared/limits.ts";
import { reasonOf } from "../../shared/errors.ts";
import { HARNESS } from "./harness.ts";
import { MadeFile, newFileOf } from "./made-files.ts";

/** What the harness lets through, escaped: two texts and the files. */
const RESULT_BYTES_MAX = LIMITS.output_chars_max * 12 + LIMITS.file_bytes_max * 2;
const COMPATIBILITY_DATE = "2026-06-01";

/** Enforced in production; where it is not, the caller's clock and the watchdog take its place. */
const cpuMsOf = (wallMs: number) => Math.min(wallMs, 30_000);

const Text = z.string().check(z.maxLength(LIMITS.output_chars_max + 1));
const Loaded = z.union([
  z.object({
    kind: z.literal("done"),
    printed: Text,
    value: z.nullable(Text),
    error: z.nullable(Text),
    files: z.array(MadeFile).check(z.maxLength(LIMITS.files_per_call_max)),
  }),
  z.object({ kind: z.literal("syntax_error"), message: z.string() }),
  z.object({ kind: z.literal("timed_out") }),
]);

/** Runs the code as an expression if it is one, else as the body of a function; as it is, else with its types stripped. */
export async function runIsolated(
  loader: WorkerLoader,
  { code, wallMs }: RunCodeRequest,
): Promise<CodeResult> {
  let syntaxError = "";
  for (const module of readings(code)) {
    const result = await load(loader, module, wallMs);
    if (result.kind === "done") return { ...result, files: result.files.map(newFileOf) };
    if (result.kind === "timed_out") return result;
    syntaxError = result.message;
  }
  return { kind: "done", printed: "", value: null, error: syntaxError, files: [] };
}

/** V8 is the judge of what is JavaScript: the readings are tried until one loads. Lines keep their numbers. */
function* readings(code: string): Generator<string> {
  yield `export default async () => (${code}\n)`;
  yield `export default async () => {${code}\n}`;
  const stripped = withoutTypes(code);
  if (stripped === null) return;
  yield `export default async () => (${stripped}\n)`;
  yield `export default async () => {${stripped}\n}`;
}

function withoutTypes(code: string): string | null {
  try {
    return transform(code, { transforms: ["typescript"], disableESTransforms: true, keepUnusedImports: true })
      .code;
  } catch {
    return null;
  }
}

type Loaded = z.infer<typeof Loaded>;

async function load(loader: WorkerLoader, code: string, wallMs: number): Promise<Loaded> {
  const worker = loader.load({
    compatibilityDate: COMPATIBILITY_DATE,
    mainModule: "harness.js",
    modules: { "harness.js": HARNESS, "code.js": code },
    env: {},
    globalOutbound: null,
    limits: { cpuMs: cpuMsOf(wallMs) },
  });
  try {
    const response = worker.getEntrypoint().fetch("http://code/", { signal: AbortSignal.timeout(wallMs) });
    // The code shares its isolate with the harness, so what comes out of it is bounded here.
    const { text, cut } = await readBody(await response, RESULT_BYTES_MAX);
    if (cut || text === null) return failureOf("It brought back more than it may.");
    return Loaded.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") return { kind: "timed_out" };
    return failureOf(reasonOf(error));
  }
}

/** What the runtime itself says of code that it would not start or had to give up. */
function failureOf(reason: string): Loaded {
  const [syntaxError] = /SyntaxError: .*/.exec(reason) ?? [];
  if (syntaxError !== undefined) return { kind: "syntax_error", message: syntaxError };
  const hung = reason.includes("would never generate a response");
  return {
    kind: "done",
    printed: "",
    value: null,
    error: hung ? "It waits for something that never happens." : reason,
    files: [],
  };
}
