/** The tools: one file and one line here for each. */
import type { Observation, ToolCall, ToolName } from "../../../shared/contracts/tool.ts";
import type { Transient } from "../../../shared/errors.ts";
import type { Env } from "../env.ts";
import { invalidCall } from "./invalid-call.ts";
import { runCode } from "./run-code.ts";

/** Does what the input says. What goes wrong with it is an observation; Transient is for what may go better later. */
export type Tool<Name extends ToolName> = (
  env: Env,
  input: Extract<ToolCall, { tool: Name }>["input"],
  attempt: number,
) => Promise<Observation | Transient>;

export function runTool(env: Env, call: ToolCall, attempt: number): Promise<Observation | Transient> {
  switch (call.tool) {
    case "run_code":
      return runCode(env, call.input, attempt);
    case "invalid_call":
      return invalidCall(env, call.input, attempt);
  }
}
