/** The dead-letter desk's intake: what a queue gave up is parked, and the person is told once. */
import { readTimings } from "../../shared/config.ts";
import { Doorbell } from "../../shared/contracts/doorbell.ts";
import { describeError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/ids.ts";
import { log } from "../../shared/log.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { parkAndTell, parkUnreadable } from "../../shared/store/park.ts";
import { getBells, type Env } from "./env.ts";

const REASON = "its consumer failed again and again; the log has the errors";
const RETRY_SECONDS = 30;

export async function parkDeadLetters(batch: MessageBatch, env: Env): Promise<void> {
  for (const message of batch.messages) {
    try {
      // When parking had to be retried it was the store that failed, and not this message: the sweep rings it again.
      if (message.attempts === 1) await parkOne(message.body, env);
      message.ack();
    } catch (error) {
      log("error", { stage: "notifier", effect: "parked", detail: describeError(error) });
      message.retry({ delaySeconds: RETRY_SECONDS });
    }
  }
}

async function parkOne(body: unknown, env: Env): Promise<void> {
  const now = Date.now();
  const doorbell = Doorbell.safeParse(body);
  if (!doorbell.success) {
    const text = JSON.stringify(body) ?? String(body);
    await parkUnreadable(env.DB, { key: await sha256Hex(text), body: text, reason: "not a doorbell", now });
    return;
  }
  const { queue, key } = doorbell.data;
  const text = `⚠️ Something is broken on my side, and this was put aside for somebody to attempt at. Reference: \`${key}\``;
  const said = { reason: REASON, text };
  const { kind, doorbells } = await parkAndTell(env.DB, doorbell.data, said, now, readTimings(env));
  log("error", {
    stage: "notifier",
    effect: kind === "parked" ? "parked" : "parked already",
    queue,
    key,
    detail: REASON,
  });
  await ring(getBells(env), doorbells, "notifier");
}
