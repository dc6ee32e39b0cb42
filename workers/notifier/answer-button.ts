/** Telling the platform that a button was heard: within its time, or not at all. */
import { log } from "../../shared/log.ts";
import { settleReply } from "../../shared/store/replies.ts";
import { factsOf, failed, type Showing } from "./failures.ts";

/** What the button did is done already; this only ends the person's waiting. Returns the wait until another try, or null. */
export async function answerButton(showing: Showing, callbackId: string): Promise<number | null> {
  const { env, timings, lease, reply, outlet } = showing;
  const isLate = Date.now() - reply.created_at > timings.callback_ms;
  const answered = isLate ? null : await outlet.answer(callbackId, reply.text);
  if (answered !== null && answered.kind !== "ok") return failed(showing, answered, null);
  const now = Date.now();
  const reason = isLate ? "too late for the platform to hear" : null;
  const outcome = {
    state: isLate ? ("undeliverable" as const) : ("delivered" as const),
    reason,
    externalIds: [],
  };
  await settleReply(
    env.DB,
    lease,
    { version: reply.version, revision: null, outcome, lookAt: now, failed: false },
    now,
  );
  log("info", {
    ...factsOf(reply),
    effect: isLate ? "dropped" : "answered",
    latency_ms: now - reply.created_at,
  });
  return null;
}
