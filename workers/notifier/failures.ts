/** What a call that did not succeed means for its reply: later, in doubt, again, undeliverable, or somebody's to mend. */
import { backoffMs } from "../../shared/errors.ts";
import { LIMITS, type Timings } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { park } from "../../shared/store/outbox.ts";
import {
  type DeliveryRow,
  type Lease,
  recordAbsent,
  type ReplyRow,
  settleReply,
} from "../../shared/store/replies.ts";
import type { Failed, Misconfigured, Outlet, Sender } from "./channels/index.ts";
import type { Env } from "./env.ts";

/** One look at a reply. */
export interface Looked {
  readonly env: Env;
  readonly timings: Timings;
  readonly lease: Lease;
  readonly reply: ReplyRow;
  readonly deliveries: readonly DeliveryRow[];
  readonly sender: Sender;
}

/** A look under the reply's lease, with a way to its conversation. */
export interface Showing extends Looked {
  readonly outlet: Outlet;
}

/** Ends a look that failed. `creating` names the part that has no message now; edits can be repeated without doubt. */
export async function failed(
  showing: Showing,
  failure: Failed,
  creating: number | null,
): Promise<number | null> {
  const { env, timings, lease, reply } = showing;
  const now = Date.now();
  log("warn", {
    ...factsOf(reply),
    effect: creating === null ? "edit" : "create",
    outcome: failure.kind,
    detail: failure.reason,
  });
  if (failure.kind === "misconfigured") return misconfigured(showing, failure);
  if (failure.kind === "undeliverable") return undeliverable(showing, failure.reason);
  const rings = reply.rings ?? 0;
  if (rings >= LIMITS.rings_max || now - reply.created_at > timings.reply_kept_ms) {
    return undeliverable(showing, `gave up: ${failure.reason}`);
  }
  if (failure.kind !== "doubt" && creating !== null) await recordAbsent(env.DB, lease, creating);
  const rateLimited = failure.kind === "later" && failure.rateLimited;
  const retryAfterMs = failure.kind === "later" ? failure.retryAfterMs : undefined;
  const waitMs = failure.kind === "gone" ? 0 : (retryAfterMs ?? backoffMs(rings + 1, timings.backoff_ms_max));
  const nothingShown = { version: reply.version, revision: null, outcome: null };
  const lookAt = now + waitMs;
  // Other doorbells of this reply may ring before: the platform's limit holds for them too.
  const notBefore = rateLimited ? lookAt : 0;
  await settleReply(env.DB, lease, { ...nothingShown, lookAt, notBefore, failed: !rateLimited }, now);
  return waitMs;
}

/** The person cannot be reached. The work's result stays in the task, and the receipt says what happened. */
async function undeliverable({ env, lease, reply }: Showing, reason: string): Promise<null> {
  const now = Date.now();
  const outcome = { state: "undeliverable" as const, reason, externalIds: [] };
  await settleReply(
    env.DB,
    lease,
    { version: reply.version, revision: null, outcome, lookAt: now, failed: true },
    now,
  );
  log("error", { ...factsOf(reply), effect: "undeliverable", detail: reason });
  return null;
}

/** Nothing gets through until somebody changes a variable: put aside, to be replayed then. */
export async function misconfigured({ env, lease, reply }: Looked, { reason }: Misconfigured): Promise<null> {
  const now = Date.now();
  await recordAbsent(env.DB, lease, 0);
  await settleReply(
    env.DB,
    lease,
    { version: reply.version, revision: null, outcome: null, lookAt: now, failed: true },
    now,
  );
  await park(env.DB, { queue: "replies", key: reply.id }, reason, now);
  log("error", { ...factsOf(reply), effect: "parked", detail: reason });
  return null;
}

export function factsOf(reply: ReplyRow) {
  return {
    stage: "notifier" as const,
    session_id: reply.conversation_id,
    ...(reply.id.startsWith("task_") ? { task_id: reply.id } : { key: reply.id }),
    channel: reply.channel,
  };
}
