/** `shell`: a script over the workspace, in a sandbox. What it changed there is kept when it has ended by itself. */
import { readTimings } from "../../../shared/config.ts";
import { shell as definition } from "../../../shared/contracts/tools/shell.ts";
import type { JobEnd, JobState } from "../../../shared/contracts/job.ts";
import { describeError, transient } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { log } from "../../../shared/log.ts";
import { findAside } from "../aside.ts";
import { keepChanges } from "../changes.ts";
import { layOut } from "../laying.ts";
import { BLAMED_FROM_ATTEMPT } from "../runner.ts";
import { type Chosen, chooseSandbox } from "../sandboxes/choose.ts";
import { leaveRoom, takeRoom } from "../sandboxes/room.ts";
import { Workspace, WorkspaceError } from "../workspace.ts";
import { failing, GOES_ON, type Run, type ToolContext, type ToolResult } from "./tool.ts";

/** A job that takes longer is told of, this often. */
const LOOK_MS = 3_000;
const BOUND_MET = 126;
const COMMAND_NOT_FOUND = 127;
/** What is said where a command is not found. */
const LACKS: Readonly<Record<Chosen["kind"], string>> = {
  embedded:
    "This shell is an embedded one, without git, python, node, curl, tar, zip and packages: `ls /usr/bin` says what it has, and JavaScript is run by `/run`.",
  container: "The container has no such program, and its network leads to the hosts in $ERRAND_HOSTS alone.",
};
type Exited = Extract<JobEnd, { kind: "exited" }>;

export const shell: Run<"shell"> = async (context, input) => {
  const chosen = chooseSandbox(context, input);
  if (typeof chosen === "string") return failing(chosen);
  const { kind, sandbox, wallMs } = chosen;
  const { sandbox_retry_ms: retryMs } = readTimings(context.env);
  try {
    const workspace = await Workspace.open(context);
    if (workspace.made !== null) return await findAside(context, workspace.made);
    const full = kind === "container" ? await takeRoom(context, wallMs) : null;
    if (full !== null) return transient(full, retryMs);
    const laid = await layOut(workspace, context, definition);
    await sandbox.put(laid.files);
    const jobId = `${context.taskId}.${context.turn}.${context.call}`;
    await sandbox.start(jobId, input.script, { wallMs });
    const state = await follow(chosen, jobId, context);
    if (state.kind === "running") return GOES_ON;
    if (chosen.kind === "container") await leaveRoom(context, await chosen.sandbox.tell(jobId));
    if (state.kind === "not_started") return transient(state.reason, state.retryAfterMs ?? retryMs);
    // What has changed something elsewhere is not done twice.
    if (state.kind === "lost" && state.acted !== true && context.attempt < BLAMED_FROM_ATTEMPT)
      return transient(`the sandbox was lost (${state.reason})`, retryMs);
    const result = observe(state, chosen, laid.missing);
    if (state.kind !== "exited") return result;
    return await keepChanges(context, { workspace, laid, left: await sandbox.take() }, result);
  } catch (error) {
    if (error instanceof WorkspaceError) return failing(`Not done: ${error.message}.`);
    throw error;
  }
};

/** Waits for the job's end, or for as long as one step may; shows people that it takes long, and ends it when nobody waits for it any more. */
async function follow(
  { kind, sandbox, followMs }: Chosen,
  jobId: string,
  context: ToolContext,
): Promise<JobState> {
  const cancel = () => {
    // A step that is out of time is made again, and goes on with what runs elsewhere.
    if (kind === "container" && isTimeout(context.signal.reason)) return;
    sandbox.cancel(jobId).catch((error: unknown) => {
      log("warn", { stage: "executor", effect: "not cancelled", detail: describeError(error) });
    });
  };
  context.signal.addEventListener("abort", cancel);
  const since = Date.now();
  let printed = "";
  let next = 0;
  try {
    for (;;) {
      const state = await sandbox.poll(jobId, next, Math.min(LOOK_MS, followMs));
      printed = (printed + state.output).slice(0, LIMITS.output_chars_max + 1);
      ({ next } = state);
      if (state.kind !== "running") return { ...state, output: printed };
      const now = Date.now();
      const last = printed.trimEnd().split("\n").at(-1) ?? "";
      await context.progress(
        `A script runs (${Math.round((now - context.startedAt) / 1_000)} s)${last === "" ? "" : `: ${last}`}`,
      );
      if (now - since >= followMs) return state;
    }
  } finally {
    context.signal.removeEventListener("abort", cancel);
  }
}

const isTimeout = (reason: unknown) => reason instanceof Error && reason.name === "TimeoutError";

function observe(end: JobEnd, { kind, wallMs }: Chosen, missing: string): ToolResult {
  const texts = [end.output.replace(/\n$/, ""), missing].filter((text) => text !== "");
  const parts = texts.map((text) => ({ type: "text" as const, text }));
  const nothing = "Nothing of what it changed is kept.";
  switch (end.kind) {
    case "exited": {
      const shown = end.code === 0 && end.output === "" ? "(it printed nothing)" : "";
      const error = end.code === 0 ? null : describeExit(end, kind);
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
    case "lost": {
      const again =
        end.acted === true
          ? " It had sent requests that may not be sent twice, so it was not run again."
          : "";
      return {
        parts,
        value: null,
        error: `Not done: the sandbox was lost (${end.reason}). ${nothing}${again}`,
      };
    }
    case "cancelled":
    case "not_started":
      return { parts, value: null, error: `Not done: it was stopped. ${nothing}` };
  }
}

function describeExit({ code, output }: Pick<Exited, "code" | "output">, kind: Chosen["kind"]): string {
  const words = `It ended with exit code ${code}.`;
  if (code === BOUND_MET)
    return `${words} What it has printed last names the bound of this shell that it met.`;
  const isMissing = code === COMMAND_NOT_FOUND || output.includes("command not found");
  return isMissing ? `${words} ${LACKS[kind]}` : words;
}
