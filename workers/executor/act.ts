/** One tool call: looked at before it starts, stored when it is done. */
import { timingsOf } from "../../shared/config.ts";
import { summaryOf } from "../../shared/contracts/tools/index.ts";
import type { CallKey } from "../../shared/contracts/turn.ts";
import { transient, type Transient } from "../../shared/errors.ts";
import { readFile } from "../../shared/files.ts";
import { log } from "../../shared/log.ts";
import { showProgress, startCall, type StartedCall, storeObservation } from "../../shared/store/calls.ts";
import type { Env } from "./env.ts";
import { keepResult } from "./keep-result.ts";
import { runTool, tools } from "./tools/index.ts";
import type { ToolContext } from "./tools/tool.ts";

/** What a step returns: no content, that is in D1. */
export type Acted = { kind: "observed"; ok: boolean } | { kind: "inactive" } | Transient;

/** Does the call, unless its task has ended or it is done already. `attempt` counts from 1, over Transient failures. */
export async function act(env: Env, key: CallKey, attempt: number, table = tools): Promise<Acted> {
  const timings = timingsOf(env);
  const now = Date.now();
  const started = await startCall(env.DB, key, { until: now + timings.step_ms, now });
  if (started.kind === "inactive") return started;
  if (started.kind === "done") return { kind: "observed", ok: started.ok };
  const { call, conversationId } = started;
  const result = await runTool(table, contextOf(env, key, started, attempt), call);
  const latencyMs = Date.now() - now;
  const facts = {
    stage: "executor" as const,
    session_id: conversationId,
    task_id: key.taskId,
    tool: call.tool,
  };
  if ("kind" in result) {
    log("warn", { ...facts, effect: "call", latency_ms: latencyMs, detail: result.reason });
    return transient(result.reason, result.retryAfterMs ?? timings.sandbox_retry_ms);
  }
  // What R2 does not take throws, and the step is tried again: the call is done twice rather than half.
  const kept = await keepResult(env.FILES, key, result);
  await storeObservation(env.DB, key, kept, { latencyMs, now: Date.now() });
  const made = kept.files.length > 0 ? { files: kept.files.length } : {};
  log("info", {
    ...facts,
    effect: "call",
    ok: kept.ok,
    latency_ms: latencyMs,
    title: summaryOf(call),
    ...made,
  });
  return { kind: "observed", ok: kept.ok };
}

function contextOf(
  env: Env,
  key: CallKey,
  { conversationId, deadlineAt }: Extract<StartedCall, { kind: "started" }>,
  attempt: number,
): ToolContext {
  return {
    ...key,
    env,
    conversationId,
    attempt,
    deadlineAt,
    signal: AbortSignal.timeout(timingsOf(env).step_ms),
    progress: (text) => showProgress(env.DB, key.taskId, text),
    async readFile(sha256) {
      const object = await readFile(env.FILES, sha256);
      return object && new Uint8Array(await object.arrayBuffer());
    },
  };
}

/** The call failed too often: its failure is its observation, and the task goes on. */
export async function giveUp(env: Env, key: CallKey, reason: string): Promise<Acted> {
  await storeObservation(
    env.DB,
    key,
    { ok: false, text: `Not done: ${reason}.`, images: [], files: [] },
    { latencyMs: 0, now: Date.now() },
  );
  return { kind: "observed", ok: false };
}
