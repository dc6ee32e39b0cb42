/** Telling the platform that a button was heard: within its time, or not at all. */
import { log } from "../../shared/log.ts";
import { settleReply } from "../../shared/store/settle-reply.ts";
import { getLogFacts, type OpenAttempt } from "./attempt.ts";
import { fail } from "./outcome.ts";

/** What the button did is done already; this only ends the person's waiting. Returns the wait until another try, or null. */
export async function answerButton(attempt: OpenAttempt, callbackId: string): Promise<number | null> {
  const { env, timings, lease, reply, client } = attempt;
  const isLate = Date.now() - reply.created_at > timings.callback_ms;
  const answered = isLate ? null : await client.buttons?.answer(callbackId, reply.text);
  if (answered && answered.kind !== "ok") return fail(attempt, answered, null);
  const now = Date.now();
  const outcome = isLate
    ? { state: "undeliverable" as const, reason: "too late for the platform to hear", externalIds: [] }
    : { state: "delivered" as const, reason: null, externalIds: [] };
  await settleReply(env.DB, lease, reply.version, outcome, now);
  log("info", {
    ...getLogFacts(attempt),
    effect: isLate ? "dropped" : "answered",
    latency_ms: now - reply.created_at,
  });
  return null;
}
