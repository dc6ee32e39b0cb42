/** Looking at replies: who has the lease, and what is due. How a difference is made is in show.ts. */
import { timingsOf } from "../../shared/config.ts";
import { Lane } from "../../shared/lane.ts";
import { log } from "../../shared/log.ts";
import type { LookAgain } from "../../shared/queue/consume.ts";
import { each } from "../../shared/queue/each.ts";
import { dropReplyDoorbell, takeReply } from "../../shared/store/replies.ts";
import { type Outlet, senders } from "./channels/index.ts";
import type { Env } from "./env.ts";
import { factsOf, type Looked, misconfigured } from "./failures.ts";
import { answerButton } from "./answer-button.ts";
import { createFirst, type Created, show } from "./show.ts";

/** Replies that are looked at at the same time: their calls go to different chats. */
const AT_ONCE_MAX = 50;
/** Somebody else is at this reply; by then its calls are done. */
const BUSY_MS = 1_000;

export async function deliverAll(env: Env, replyIds: readonly string[]): Promise<LookAgain> {
  const again = new Map<string, number>();
  // Whatever is killed in here leaves at most one creation in doubt: the next is announced when the last is recorded.
  const creations = new Lane();
  await each(replyIds, AT_ONCE_MAX, async (replyId) => {
    const waitMs = await deliver(env, replyId, creations);
    if (waitMs !== null) again.set(replyId, waitMs);
  });
  return again;
}

/** Makes what is shown what is wanted. Returns the milliseconds until the next look, or null when there is none. */
async function deliver(env: Env, replyId: string, creations: Lane): Promise<number | null> {
  const taken = await creations.enter(() => take(env, replyId));
  switch (taken.kind) {
    case "nothing":
      return null;
    case "ended":
      await dropReplyDoorbell(env.DB, replyId, taken.version);
      return null;
    case "busy":
      return taken.waitMs;
    case "misconfigured":
      return misconfigured(taken.looked, taken);
    case "early":
      return sayAlive(taken.looked, taken.outlet, taken.dueInMs);
    case "pressed":
      return answerButton({ ...taken.looked, outlet: taken.outlet }, taken.callbackId);
    case "due":
      return show({ ...taken.looked, outlet: taken.outlet, creations }, taken.first);
  }
}

type Taken =
  | { kind: "nothing" }
  | { kind: "ended"; version: number }
  | { kind: "busy"; waitMs: number }
  | { kind: "misconfigured"; looked: Looked; reason: string }
  | { kind: "early"; looked: Looked; outlet: Outlet; dueInMs: number }
  | { kind: "pressed"; looked: Looked; outlet: Outlet; callbackId: string }
  | { kind: "due"; looked: Looked; outlet: Outlet; first: Created };

/** Takes the reply's lease if something is due, and creates its first message if there is none. */
async function take(env: Env, replyId: string): Promise<Taken> {
  const timings = timingsOf(env);
  const lease = { replyId, token: crypto.randomUUID() };
  const now = Date.now();
  const taken = await takeReply(env.DB, lease, now, timings);
  if (taken === undefined || taken.reply.version === null) return { kind: "nothing" };
  const { reply, deliveries } = taken;
  if (reply.state !== "open" || reply.channel === "api")
    return { kind: "ended", version: taken.reply.version };
  const isMine = reply.lease_token === lease.token;
  const dueInMs = reply.final === 1 ? 0 : reply.created_at + timings.placeholder_after_ms - now;
  if (!isMine && dueInMs <= 0) {
    // Without a token it is nobody's: the platform's limit keeps it.
    return {
      kind: "busy",
      waitMs: reply.lease_token === null ? Math.max(reply.lease_until - now, 0) : BUSY_MS,
    };
  }
  const sender = senders[reply.channel];
  const looked = { env, timings, lease, reply, deliveries, sender };
  const outlet = sender.open(env, reply, timings);
  if ("kind" in outlet) return isMine ? { ...outlet, looked } : { kind: "nothing" };
  if (!isMine) return { kind: "early", looked, outlet, dueInMs };
  if (reply.callback_id !== null) return { kind: "pressed", looked, outlet, callbackId: reply.callback_id };
  return { kind: "due", looked, outlet, first: await createFirst({ ...looked, outlet }) };
}

/** A sign of life, long before there is something to say. Whether it arrives matters to nobody. */
async function sayAlive({ reply }: Looked, outlet: Outlet, dueInMs: number): Promise<number> {
  const started = Date.now();
  const alive = await outlet.alive();
  log("info", { ...factsOf(reply), effect: "alive", outcome: alive.kind, latency_ms: Date.now() - started });
  return dueInMs;
}
