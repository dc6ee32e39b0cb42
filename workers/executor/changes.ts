/** What a job has left in the workspace, kept once, with the job's result. */
import type { LeftFile } from "../../shared/contracts/job.ts";
import { findAside, setAside } from "./aside.ts";
import type { Laid } from "./laying.ts";
import type { ToolContext, ToolResult } from "./tools/tool.ts";
import { Workspace, WorkspaceError } from "./workspace.ts";

interface Leaving {
  readonly workspace: Workspace;
  readonly laid: Laid;
  readonly left: readonly LeftFile[];
}

/** @returns the result, with what is said where something, or nothing, of it is kept. */
export async function keepChanges(
  context: ToolContext,
  { workspace, laid, left }: Leaving,
  result: ToolResult,
): Promise<ToolResult> {
  try {
    const { changes, lost } = await laid.read(left);
    const told = lost === "" ? result : complain(result, `Not kept: ${lost}.`);
    if (changes.length > 0) await workspace.change(changes, await setAside(context, told));
    return told;
  } catch (error) {
    if (!(error instanceof WorkspaceError)) throw error;
    // The same step, made twice at once: the other was faster.
    const { made } = await Workspace.open(context);
    if (made !== null) return findAside(context, made);
    return complain(result, `Nothing of what it changed is kept: ${error.message}.`);
  }
}

function complain(result: ToolResult, words: string): ToolResult {
  return { ...result, error: result.error === null ? words : `${result.error} ${words}` };
}
