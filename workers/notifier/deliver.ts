/** Looking at replies: who has the lease, and what is due. How a difference is made is in show.ts. */
import { timingsOf } from "../../shared/config.ts";
import { log } from "../../shared/log.ts";
import type { LookAgain } from "../../shared/queue/consume.ts";
import { each } from "../../shared/queue/each.ts";
import { dropReplyDoorbell, takeReply } from "../../shared/store/replies.ts";
import { senders } from "./channels/index.ts";
import type { Env } from "./env.ts";
import { misconfigured } from "./failures.ts";
import { show } from "./show.ts";

/** Replies that are looked at at the same time: their calls go to different chats. */
const AT_ONCE_MAX = 50;
/** Somebody else is at this reply; by then its calls are done. */
const BUSY_MS = 1_000;

export async function deliverAll(env: Env, replyIds: readonly string[]): Promise<LookAgain> {
  const again = new Map<string, number>();
  await each(replyIds, AT_ONCE_MAX, async (replyId) => {
    const waitMs = await deliver(env, replyId);
    if (waitMs !== null) again.set(replyId, waitMs);
  });
  return again;
}

/** Makes what is shown what is wanted. Returns the milliseconds until the next look, or null when there is none. */
async function deliver(env: Env, replyId: string): Promise<number | null> {
  const timings = timingsOf(env);
  const lease = { replyId, token: crypto.randomUUID() };
  const now = Date.now();
  const taken = await takeReply(env.DB, lease, now, timings);
  if (taken === undefined || taken.reply.version === null) return null;
  const { reply, deliveries } = taken;
  if (reply.state !== "open" || reply.channel === "api") {
    await dropReplyDoorbell(env.DB, replyId, taken.reply.version);
    return null;
  }
  const sender = senders[reply.channel];
  const outlet = sender.open(env, reply.address, timings);
  const isMine = reply.lease_token === lease.token;
  const dueInMs = reply.final === 1 ? 0 : reply.created_at + timings.placeholder_after_ms - now;
  if (!isMine && dueInMs <= 0) return BUSY_MS;
  if (!isMine) {
    const alive = "kind" in outlet ? outlet : await outlet.alive();
    const facts = { stage: "notifier" as const, session_id: reply.conversation_id, task_id: replyId };
    log("info", {
      ...facts,
      effect: "alive",
      channel: reply.channel,
      outcome: alive.kind,
      latency_ms: Date.now() - now,
    });
    return dueInMs;
  }
  const showing = { env, timings, lease, reply, deliveries, sender };
  return "kind" in outlet ? misconfigured(showing, outlet) : show({ ...showing, outlet });
}
