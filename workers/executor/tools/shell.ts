/** `shell`: a script over the workspace, in a sandbox. What it changed there is kept when it has ended by itself. */
import { readTimings } from "../../../shared/config.ts";
import { shell as definition } from "../../../shared/contracts/tools/shell.ts";
import { transient } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { findAside } from "../aside.ts";
import { keepChanges } from "../changes.ts";
import { layOut } from "../laying.ts";
import { BLAMED_FROM_ATTEMPT } from "../runner.ts";
import { EmbeddedSandbox } from "../sandboxes/embedded.ts";
import type { JobEnd, Sandbox } from "../sandboxes/sandbox.ts";
import { Workspace, WorkspaceError } from "../workspace.ts";
import { failing, type Run, type ToolContext, type ToolResult } from "./tool.ts";

/** A job that takes longer is told of, this often. */
const LOOK_MS = 3_000;
const BOUND_MET = 126;
const COMMAND_NOT_FOUND = 127;

export const shell: Run<"shell"> = async (context, { script, timeout_s }) => {
  const timings = readTimings(context.env);
  const wallMs =
    timeout_s === undefined
      ? timings.shell_wall_ms
      : Math.min(Math.ceil(timeout_s * 1_000), timings.shell_wall_ms_max);
  try {
    const workspace = await Workspace.open(context);
    if (workspace.made !== null) return await findAside(context, workspace.made);
    const laid = await layOut(workspace, context, definition);
    const sandbox = new EmbeddedSandbox(context.env.RUNNER, timings.sandbox_queue_ms);
    await sandbox.put(laid.files);
    const jobId = `${context.taskId}.${context.turn}.${context.call}`;
    await sandbox.start(jobId, script, { wallMs });
    const end = await follow(sandbox, jobId, context);
    if (end.kind === "not_started") return transient("the sandbox is busy", timings.sandbox_retry_ms);
    if (end.kind === "lost" && context.attempt < BLAMED_FROM_ATTEMPT)
      return transient(`the sandbox was lost (${end.reason})`, timings.sandbox_retry_ms);
    const result = observe(end, wallMs, laid.missing);
    if (end.kind !== "exited") return result;
    return await keepChanges(context, { workspace, laid, left: await sandbox.take() }, result);
  } catch (error) {
    if (error instanceof WorkspaceError) return failing(`Not done: ${error.message}.`);
    throw error;
  }
};

/** Waits for the job's end; shows people that it takes long, and ends it when nobody waits for it any more. */
async function follow(sandbox: Sandbox, jobId: string, context: ToolContext): Promise<JobEnd> {
  const cancel = () => void sandbox.cancel(jobId);
  context.signal.addEventListener("abort", cancel);
  let printed = "";
  let next = 0;
  try {
    for (let seconds = LOOK_MS / 1_000; ; seconds += LOOK_MS / 1_000) {
      const state = await sandbox.poll(jobId, next, LOOK_MS);
      printed = (printed + state.output).slice(0, LIMITS.output_chars_max + 1);
      ({ next } = state);
      if (state.kind !== "running") return { ...state, output: printed };
      const last = printed.trimEnd().split("\n").at(-1) ?? "";
      await context.progress(`A script runs (${seconds} s)${last === "" ? "" : `: ${last}`}`);
    }
  } finally {
    context.signal.removeEventListener("abort", cancel);
  }
}

function observe(end: JobEnd, wallMs: number, missing: string): ToolResult {
  const texts = [end.output.replace(/\n$/, ""), missing].filter((text) => text !== "");
  const parts = texts.map((text) => ({ type: "text" as const, text }));
  const nothing = "Nothing of what it changed is kept.";
  switch (end.kind) {
    case "exited": {
      const shown = end.code === 0 && end.output === "" ? "(it printed nothing)" : "";
      const error = end.code === 0 ? null : describeExit(end.code, end.output);
      return { parts, value: { shown, json: String(end.code) }, error };
    }
    case "timed_out":
      return {
        parts,
        value: null,
        error: `Timed out: it ran longer than ${wallMs / 1_000} s. ${nothing}`,
      };
    case "refused":
      return { parts, value: null, error: `Nothing of what it changed is kept: ${end.reason}.` };
    case "lost":
      return { parts, value: null, error: `Not done: the sandbox was lost (${end.reason}). ${nothing}` };
    case "cancelled":
    case "not_started":
      return { parts, value: null, error: `Not done: it was stopped. ${nothing}` };
  }
}

function describeExit(code: number, output: string): string {
  const words = `It ended with exit code ${code}.`;
  if (code === BOUND_MET)
    return `${words} What it has printed last names the bound of this shell that it met.`;
  if (code !== COMMAND_NOT_FOUND && !output.includes("command not found")) return words;
  return `${words} This shell is an embedded one, without git, python, node, curl, tar, zip and packages: \`ls /usr/bin\` says what it has, and JavaScript is run by \`/run\`.`;
}
