/** One tool call: whether it is still wanted is found out before it starts, and it is stored when it is done. */
import { readTimings } from "../../shared/config.ts";
import { summarizeCall } from "../../shared/contracts/tools/index.ts";
import type { CallKey } from "../../shared/contracts/turn.ts";
import { transient, type Transient } from "../../shared/errors.ts";
import { readFile } from "../../shared/files.ts";
import { LIMITS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { observeCall } from "../../shared/store/observe-call.ts";
import { showProgress, startCall, type StartedCall } from "../../shared/store/start-call.ts";
import { truncate } from "../../shared/text.ts";
import type { Env } from "./env.ts";
import { keepResult } from "./keep-result.ts";
import { StopWatch } from "./stop-watch.ts";
import { runTool, tools } from "./tools/index.ts";
import type { GoesOn, ToolContext } from "./tools/tool.ts";

/** What a step returns: no content, that is in D1. */
export type Acted = { kind: "observed"; ok: boolean } | { kind: "inactive" } | GoesOn | Transient;

interface Acting {
  /** From 1, over Transient failures. */
  readonly attempt: number;
  /** A call of the same turn waits for a person. */
  readonly isBesideWaiting: boolean;
}

/** Does the call, unless its task has ended or it is done already. */
export async function act(
  env: Env,
  key: CallKey,
  { attempt, isBesideWaiting }: Acting,
  table = tools,
): Promise<Acted> {
  const timings = readTimings(env);
  const now = Date.now();
  const started = await startCall(env.DB, key, now + timings.step_ms, now);
  if (started.kind === "inactive") return started;
  if (started.kind === "done") return { kind: "observed", ok: started.ok };
  const { made, conversationId } = started;
  const watch = new StopWatch(env.DB, key.taskId, timings.stop_look_ms);
  const signal = AbortSignal.any([watch.signal, AbortSignal.timeout(timings.step_ms)]);
  const context = makeContext(env, key, started, { attempt, signal });
  const result = await runTool(table, context, made).finally(() => watch.end());
  const latencyMs = Date.now() - now;
  const facts = {
    stage: "executor" as const,
    session_id: conversationId,
    task_id: key.taskId,
    tool: made.tool,
  };
  if (watch.signal.aborted) {
    log("info", { ...facts, effect: "call cancelled", latency_ms: latencyMs });
    return { kind: "inactive" };
  }
  if ("kind" in result && result.kind === "goes_on") return result;
  if ("kind" in result) {
    log("warn", { ...facts, effect: "call", latency_ms: latencyMs, detail: result.reason });
    return transient(result.reason, result.retryAfterMs ?? timings.sandbox_retry_ms);
  }
  // What R2 does not take throws, and the step is tried again: the call is done twice rather than half.
  const kept = await keepResult(env.FILES, key, result);
  await observeCall(env.DB, key, kept, { latencyMs, now: Date.now(), isBesideWaiting });
  log("info", {
    ...facts,
    effect: "call",
    ok: kept.ok,
    latency_ms: latencyMs,
    title: summarizeCall(made),
    ...(kept.files.length > 0 && { files: kept.files.length }),
  });
  return { kind: "observed", ok: kept.ok };
}

function makeContext(
  env: Env,
  key: CallKey,
  { conversationId, deadlineAt, startedAt }: Extract<StartedCall, { kind: "started" }>,
  { attempt, signal }: Pick<ToolContext, "attempt" | "signal">,
): ToolContext {
  return {
    ...key,
    env,
    conversationId,
    attempt,
    deadlineAt,
    startedAt,
    signal,
    progress: (text) => showProgress(env.DB, key.taskId, truncate(text, LIMITS.progress_chars_max)),
    async readFile(sha256) {
      const object = await readFile(env.FILES, sha256);
      return object && new Uint8Array(await object.arrayBuffer());
    },
  };
}

/** The call failed too often: its failure is its observation, and the task goes on. */
export async function giveUp(
  env: Env,
  key: CallKey,
  { reason, isBesideWaiting }: { reason: string; isBesideWaiting: boolean },
): Promise<Acted> {
  const text = `Not done: ${reason}.`;
  await observeCall(
    env.DB,
    key,
    { ok: false, text, images: [], output: "", value: null, error: text, files: [] },
    { latencyMs: 0, now: Date.now(), isBesideWaiting },
  );
  return { kind: "observed", ok: false };
}
