/** Reconciling replies: who has the lease, and what is due. How a difference is made is in show.ts. */
import { readTimings } from "../../shared/config.ts";
import { Mutex } from "../../shared/mutex.ts";
import { log } from "../../shared/log.ts";
import type { ReconcileAgain } from "../../shared/queue/consume.ts";
import { concurrently } from "../../shared/queue/concurrently.ts";
import { dropReplyDoorbell, leaseReply } from "../../shared/store/lease-reply.ts";
import type { Misconfigured } from "./channels/client.ts";
import { adapters } from "./channels/index.ts";
import type { Created } from "./create.ts";
import type { Env } from "./env.ts";
import { getLogFacts, type Attempt, type OpenAttempt } from "./attempt.ts";
import { putAside } from "./outcome.ts";
import { answerButton } from "./press.ts";
import { begin, show, showBeforeAnswer } from "./show.ts";

/** Replies that are reconciled at the same time: their calls go to different chats. */
const AT_ONCE_MAX = 50;
/** Somebody else is at this reply; by then its calls are done. */
const BUSY_MS = 1_000;

export async function deliverAll(env: Env, replyIds: readonly string[]): Promise<ReconcileAgain> {
  const again = new Map<string, number>();
  // Whatever is killed in here leaves at most one creation in doubt: the next is announced when the last is recorded.
  const creations = new Mutex();
  await concurrently(replyIds, AT_ONCE_MAX, async (replyId) => {
    const waitMs = await deliver(env, replyId, creations);
    if (waitMs !== null) again.set(replyId, waitMs);
  });
  return again;
}

/** Makes what is shown what is wanted. Returns the milliseconds until the next attempt, or null when there is none. */
async function deliver(env: Env, replyId: string, creations: Mutex): Promise<number | null> {
  const leased = await creations.run(() => lease(env, replyId));
  switch (leased.kind) {
    case "nothing":
      return null;
    case "ended":
      await dropReplyDoorbell(env.DB, replyId, leased.version);
      return null;
    case "busy":
      return leased.waitMs;
    case "misconfigured":
      return putAside(leased.attempt, leased.failure);
    case "early":
      return showTyping(leased.attempt, leased.dueInMs);
    case "pressed":
      return answerButton(leased.attempt, leased.callbackId);
    case "waiting":
      return showBeforeAnswer(leased.attempt);
    case "due":
      return show({ ...leased.attempt, creations }, leased.first);
  }
}

type Leased =
  | { kind: "nothing" }
  | { kind: "ended"; version: number }
  | { kind: "busy"; waitMs: number }
  | { kind: "misconfigured"; attempt: Attempt; failure: Misconfigured }
  | { kind: "early"; attempt: OpenAttempt; dueInMs: number }
  | { kind: "pressed"; attempt: OpenAttempt; callbackId: string }
  | { kind: "waiting"; attempt: OpenAttempt }
  | { kind: "due"; attempt: OpenAttempt; first: Created };

/** Takes the reply's lease if something is due, and creates its first message if there is none. */
async function lease(env: Env, replyId: string): Promise<Leased> {
  const timings = readTimings(env);
  const token = { replyId, token: crypto.randomUUID() };
  const now = Date.now();
  const found = await leaseReply(env.DB, token, now, timings);
  if (found.kind === "not_found") return { kind: "nothing" };
  const { reply } = found;
  const { address, version } = reply;
  if (reply.state !== "open" || address.channel === "api") return { kind: "ended", version };
  const isMine = reply.lease_token === token.token;
  const dueInMs =
    reply.final === 1 || reply.buttons !== null ? 0 : reply.created_at + timings.placeholder_after_ms - now;
  if (!isMine && dueInMs <= 0) {
    // Without a token it is nobody's: the platform's limit keeps it.
    const waitMs = reply.lease_token === null ? Math.max(reply.lease_until - now, 0) : BUSY_MS;
    return { kind: "busy", waitMs };
  }
  const leased = { env, timings, lease: token, reply };
  const conversation = { address, answersId: reply.answers_id };
  const client = adapters[address.channel].open(env, conversation, timings);
  if ("kind" in client)
    return isMine ? { kind: "misconfigured", attempt: leased, failure: client } : { kind: "nothing" };
  const attempt = { ...leased, client };
  if (!isMine) return { kind: "early", attempt, dueInMs };
  if (reply.callback_id !== null) return { kind: "pressed", attempt, callbackId: reply.callback_id };
  const first = await begin(attempt);
  return first === null ? { kind: "waiting", attempt } : { kind: "due", attempt, first };
}

/** A sign of life, long before there is something to say. Whether it arrives matters to nobody. */
async function showTyping(attempt: OpenAttempt, dueInMs: number): Promise<number> {
  const started = Date.now();
  const shown = await attempt.client.typing?.show();
  if (shown === undefined) return dueInMs;
  log("info", {
    ...getLogFacts(attempt),
    effect: "alive",
    outcome: shown.kind,
    latency_ms: Date.now() - started,
  });
  return dueInMs;
}
