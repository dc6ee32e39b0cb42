/** What a turn may ask for: every tool's name and input, and what came of a call. A new tool starts here. */
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";

const RunCodeInput = z.strictObject({
  code: z.string().check(z.minLength(1), z.maxLength(LIMITS.code_chars_max)),
});

/** What a model asked for and nobody has: it gets to hear so, as it would of a tool's failure. */
const InvalidCallInput = z.strictObject({ name: z.string(), input: z.unknown(), reason: z.string() });

/** A tool and its input, as the API takes it and a turn wants it. */
export const ToolCall = z.discriminatedUnion("tool", [
  z.strictObject({ tool: z.literal("run_code"), input: RunCodeInput }),
  z.strictObject({ tool: z.literal("invalid_call"), input: InvalidCallInput }),
]);
export type ToolCall = z.infer<typeof ToolCall>;
export type ToolName = ToolCall["tool"];

/** The tools that a model is offered: what each is for, and the schema of its input. */
export const OFFERED_TOOLS = [
  {
    name: "run_code" as const,
    description:
      "Runs JavaScript or TypeScript in a fresh sandbox, without network, for at most a few seconds. " +
      "The code is an expression, or statements that `return` a value; what it prints and returns comes back. " +
      "`save(name, content)`, with a string, bytes or a Blob, attaches a file to your answer, such as `save('chart.svg', svg)`.",
    input: RunCodeInput,
  },
];

export const toolCallExample: ToolCall = { tool: "run_code", input: { code: "6 * 7" } };

/** What a call brought back. A tool's failure is an observation too (`ok: false`), never the end of the task. */
export const Observation = z.object({ ok: z.boolean(), text: z.string() });
export type Observation = z.infer<typeof Observation>;

export const observationExample: Observation = { ok: true, text: "42" };
