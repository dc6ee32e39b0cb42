/** `run_code`: JavaScript or TypeScript in a fresh isolate of the runner, without network, over a copy of the workspace. */
import { readTimings } from "../../../shared/config.ts";
import type { CodeRequest, CodeResult } from "../../../shared/contracts/code.ts";
import { runCode as definition, runsScripts } from "../../../shared/contracts/tools/run-code.ts";
import { describeError, transient, type Transient } from "../../../shared/errors.ts";
import type { Timings } from "../../../shared/limits.ts";
import { findAside } from "../aside.ts";
import { keepChanges } from "../changes.ts";
import { layOut } from "../laying.ts";
import { mayRunScripts } from "../rules.ts";
import { askRunner, BLAMED_FROM_ATTEMPT, NO_ISOLATES } from "../runner.ts";
import { Workspace, WorkspaceError } from "../workspace.ts";
import { failing, type Run, type ToolContext, type ToolResult } from "./tool.ts";

/** Code may hide a name from whoever looks for it, and would find no files. */
const UNNAMED = "Nothing of what it wrote is kept: it uses the workspace without naming `workspace`.";

export const runCode: Run<"run_code"> = async (context, input) => {
  if (!definition.usesWorkspace(input)) {
    const ran = await run(context, { code: input.code, bash: false, files: [] });
    if (!("result" in ran)) return ran;
    return ran.left.length === 0 ? ran.result : { ...ran.result, error: UNNAMED };
  }
  try {
    return await runInWorkspace(context, input.code);
  } catch (error) {
    if (error instanceof WorkspaceError) return failing(`Not done: ${error.message}.`);
    throw error;
  }
};

async function runInWorkspace(context: ToolContext, code: string): Promise<ToolResult | Transient> {
  const workspace = await Workspace.open(context);
  if (workspace.made !== null) return findAside(context, workspace.made);
  const laid = await layOut(workspace, context, definition);
  const bash = runsScripts(code) && mayRunScripts(workspace.policy, definition);
  const ran = await run(context, { code, bash, files: [...laid.files] });
  if (!("result" in ran)) return ran;
  const { result, left } = ran;
  const said = laid.missing === "" ? [] : [{ type: "text" as const, text: laid.missing }];
  return keepChanges(context, { workspace, laid, left }, { ...result, parts: [...result.parts, ...said] });
}

/** What came of it, and what it has left in its workspace. */
interface Ran {
  readonly result: ToolResult;
  readonly left: Extract<CodeResult, { kind: "done" }>["changes"];
}

async function run(
  context: ToolContext,
  asked: Pick<CodeRequest, "code" | "bash" | "files">,
): Promise<Ran | Transient> {
  const timings = readTimings(context.env);
  const { code_wall_ms: wallMs, sandbox_queue_ms: startWithinMs } = timings;
  try {
    const request = { language: "javascript" as const, ...asked, wallMs, startWithinMs };
    return observe(await askRunner(context.env.RUNNER, request, context.signal), timings);
  } catch (error) {
    const lost = `the sandbox was lost (${describeError(error)})`;
    if (context.attempt >= BLAMED_FROM_ATTEMPT)
      return { result: failing(`Not done: ${lost} while the code ran.`), left: [] };
    return transient(lost, timings.sandbox_retry_ms);
  }
}

function observe(ran: CodeResult, timings: Timings): Ran | Transient {
  switch (ran.kind) {
    case "not_started":
      return transient("the sandbox is busy", timings.sandbox_retry_ms);
    case "timed_out":
      return {
        result: failing(`Timed out: it ran longer than ${timings.code_wall_ms / 1_000} s.`),
        left: [],
      };
    case "no_isolates":
      return { result: failing(NO_ISOLATES), left: [] };
    case "syntax_error":
      return { result: failing(ran.message), left: [] };
    case "done": {
      const { printed, value, error, files, changes } = ran;
      const text = printed === "" ? [] : [{ type: "text" as const, text: printed }];
      const parts = [...text, ...files.map((file) => ({ type: "file" as const, file }))];
      return { result: { parts, value, error }, left: changes };
    }
  }
}
