/** Ringing: a hint to look, sent after the row that makes it true was committed. */
import type { Doorbell, PendingDoorbell, QueueName } from "../contracts/doorbell.ts";
import { describeError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { log, type LogFields } from "../log.ts";

/** The queue each doorbell goes to. A Worker that never rings one of them has no binding for it. */
export type Bells = Partial<Record<QueueName, Queue<Doorbell>>>;

/**
 * Sends doorbells, grouped by queue. Never throws: the rows are in the outbox, so what is not sent now
 * is rung by the sweep.
 */
export async function ring(
  bells: Bells,
  doorbells: readonly PendingDoorbell[],
  stage: LogFields["stage"],
): Promise<void> {
  const groups = new Map<QueueName, PendingDoorbell[]>();
  for (const doorbell of doorbells) {
    groups.set(doorbell.queue, [...(groups.get(doorbell.queue) ?? []), doorbell]);
  }
  await Promise.all(
    Array.from(groups, ([queue, group]) =>
      send(bells[queue], group).catch((error: unknown) =>
        log("warn", { stage, effect: "ring", queue, detail: `left to the sweep: ${describeError(error)}` }),
      ),
    ),
  );
}

async function send(
  queue: Queue<Doorbell> | undefined,
  doorbells: readonly PendingDoorbell[],
): Promise<void> {
  if (queue === undefined) throw new Error("this Worker has no binding for that queue");
  for (let from = 0; from < doorbells.length; from += LIMITS.queue_batch_max) {
    const messages = doorbells
      .slice(from, from + LIMITS.queue_batch_max)
      .map(({ queue: name, key, delay_ms }) => ({
        body: { queue: name, key },
        delaySeconds: Math.ceil((delay_ms ?? 0) / 1_000),
      }));
    await queue.sendBatch(messages);
  }
}
