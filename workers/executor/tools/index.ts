/** The tools: one line for each. */
import type { CallOf, ToolName } from "../../../shared/contracts/tools/index.ts";
import type { Transient } from "../../../shared/errors.ts";
import { askUser } from "./ask-user.ts";
import { files } from "./files.ts";
import { invalidCall } from "./invalid-call.ts";
import { runCode } from "./run-code.ts";
import { sendFile } from "./send-file.ts";
import { shell } from "./shell.ts";
import type { GoesOn, Run, ToolContext, ToolResult } from "./tool.ts";

export type Tools = { readonly [Name in ToolName]: Run<Name> };

export const tools: Tools = {
  run_code: runCode,
  shell,
  files,
  send_file: sendFile,
  ask_user: askUser,
  invalid_call: invalidCall,
};

export function runTool<Name extends ToolName>(
  table: Tools,
  context: ToolContext,
  { tool, input }: CallOf<Name>,
): Promise<ToolResult | Transient | GoesOn> {
  return table[tool](context, input);
}
