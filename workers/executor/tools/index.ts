/** The tools: one file and one line here for each. */
import type { Observation, ToolCall, ToolName } from "../../../shared/contracts/tool.ts";
import type { NewFile } from "../../../shared/contracts/file.ts";
import type { Transient } from "../../../shared/errors.ts";
import type { Env } from "../env.ts";
import { invalidCall } from "./invalid-call.ts";
import { runCode } from "./run-code.ts";

/** What came of a call, and the files that it made. */
export type Outcome = Observation & { files: readonly NewFile[] };

/** Does what the input says. What goes wrong with it is an observation; Transient is for what may go better later. */
export type Tool<Name extends ToolName> = (
  env: Env,
  input: Extract<ToolCall, { tool: Name }>["input"],
  attempt: number,
) => Promise<Outcome | Transient>;

export function runTool(env: Env, call: ToolCall, attempt: number): Promise<Outcome | Transient> {
  switch (call.tool) {
    case "run_code":
      return runCode(env, call.input, attempt);
    case "invalid_call":
      return invalidCall(env, call.input, attempt);
  }
}
