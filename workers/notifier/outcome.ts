/** What a call that did not succeed means for its reply: later, in doubt, again, undeliverable, or somebody's to mend. */
import { backoffMs } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { parkMisconfigured } from "../../shared/store/park.ts";
import { recordAbsent } from "../../shared/store/record-message.ts";
import { postponeReply, settleReply } from "../../shared/store/settle-reply.ts";
import type { Failed, Misconfigured } from "./channels/client.ts";
import { getLogFacts, type Attempt } from "./attempt.ts";

/** Ends an attempt that failed. `creating` names the part that has no message now; edits can be repeated without doubt. */
export async function fail(
  attempt: Attempt,
  failure: Failed,
  creating: number | null,
): Promise<number | null> {
  const { env, timings, lease, reply } = attempt;
  const now = Date.now();
  log("warn", {
    ...getLogFacts(attempt),
    effect: creating === null ? "edit" : "create",
    outcome: failure.kind,
    detail: failure.reason,
  });
  if (failure.kind === "misconfigured") return putAside(attempt, failure);
  if (failure.kind === "undeliverable") return giveUp(attempt, failure.reason);
  const { rings } = reply;
  // What is not final yet waits for a task, or for a person: that may take days.
  const isTooOld = reply.final === 1 && now - reply.wanted_at > timings.reply_kept_ms;
  if (rings >= LIMITS.rings_max || isTooOld) {
    return giveUp(attempt, `gave up: ${failure.reason}`);
  }
  if (failure.kind !== "doubt" && creating !== null) await recordAbsent(env.DB, lease, creating);
  const rateLimited = failure.kind === "later" && failure.rateLimited;
  const retryAfterMs = failure.kind === "later" ? failure.retryAfterMs : undefined;
  const waitMs = failure.kind === "gone" ? 0 : (retryAfterMs ?? backoffMs(rings + 1, timings.backoff_ms_max));
  const ringAt = now + waitMs;
  // Other doorbells of this reply may ring before: the platform's limit holds for them too.
  const notBefore = rateLimited ? ringAt : 0;
  const { version } = reply;
  await postponeReply(env.DB, lease, { version, revision: null, ringAt, notBefore, failed: !rateLimited });
  return waitMs;
}

/** The person cannot be reached. The work's result stays in the task, and the receipt says what happened. */
async function giveUp(attempt: Attempt, reason: string): Promise<null> {
  const { env, lease, reply } = attempt;
  const outcome = { state: "undeliverable" as const, reason, externalIds: [] };
  await settleReply(env.DB, lease, reply.version, outcome, Date.now());
  log("error", { ...getLogFacts(attempt), effect: "undeliverable", detail: reason });
  return null;
}

/** Nothing gets through until somebody changes a variable: put aside, to be replayed then. */
export async function putAside(attempt: Attempt, { reason }: Misconfigured): Promise<null> {
  const { env, lease, reply } = attempt;
  await parkMisconfigured(env.DB, lease, { version: reply.version, reason }, Date.now());
  log("error", { ...getLogFacts(attempt), effect: "parked", detail: reason });
  return null;
}
