/** One tool call: looked at before it starts, stored when it is done. */
import { timingsOf } from "../../shared/config.ts";
import { isFinal } from "../../shared/contracts/task.ts";
import { transient, type Transient } from "../../shared/errors.ts";
import { log } from "../../shared/log.ts";
import { type CallKey, startCall, storeObservation } from "../../shared/store/calls.ts";
import { titleOf } from "../../shared/words.ts";
import { keepOutcome } from "./artifacts.ts";
import type { Env } from "./env.ts";
import { runTool } from "./tools/index.ts";

/** What a step returns: no content, that is in D1. */
export type Acted = { kind: "observed"; ok: boolean } | { kind: "inactive" } | Transient;

/** Does the call, unless its task has ended or it is done already. `attempt` counts from 1, over Transient failures. */
export async function act(env: Env, key: CallKey, attempt: number): Promise<Acted> {
  const timings = timingsOf(env);
  const now = Date.now();
  const started = await startCall(env.DB, key, { until: now + timings.step_ms, now });
  if (started === undefined || isFinal(started.state)) return { kind: "inactive" };
  const { call, conversationId } = started;
  if (started.done) return { kind: "observed", ok: true };
  const outcome = await runTool(env, call, attempt);
  const latencyMs = Date.now() - now;
  const facts = {
    stage: "executor" as const,
    session_id: conversationId,
    task_id: key.taskId,
    tool: call.tool,
  };
  if ("kind" in outcome) {
    log("warn", { ...facts, effect: "call", latency_ms: latencyMs, detail: outcome.reason });
    return transient(outcome.reason, outcome.retryAfterMs ?? timings.sandbox_retry_ms);
  }
  // What R2 does not take throws, and the step is tried again: the call is done twice rather than half.
  const kept = await keepOutcome(env.FILES, key, outcome);
  await storeObservation(env.DB, key, kept, { latencyMs, now: Date.now() });
  const made = kept.files.length > 0 ? { files: kept.files.length } : {};
  log("info", {
    ...facts,
    effect: "call",
    ok: kept.ok,
    latency_ms: latencyMs,
    title: titleOf(call),
    ...made,
  });
  return { kind: "observed", ok: kept.ok };
}

/** The call failed too often: its failure is its observation, and the task goes on. */
export async function giveUp(env: Env, key: CallKey, reason: string): Promise<Acted> {
  await storeObservation(
    env.DB,
    key,
    { ok: false, text: `Not done: ${reason}.`, files: [] },
    { latencyMs: 0, now: Date.now() },
  );
  return { kind: "observed", ok: false };
}
