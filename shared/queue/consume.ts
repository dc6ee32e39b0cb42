/** The frame of every queue consumer: read the doorbells, reconcile what they stand for, acknowledge each by itself. */
import { Doorbell } from "../contracts/doorbell.ts";
import { backoffMs, describeError } from "../errors.ts";
import { sha256Hex } from "../ids.ts";
import { log, type LogFields } from "../log.ts";
import { parkUnreadable } from "../store/park.ts";
import { type Bells, ring } from "./doorbell.ts";

/** Keys that want to be reconciled again after so many milliseconds. Keys that are not named are done with. */
export type ReconcileAgain = ReadonlyMap<string, number>;

export interface Consumer {
  stage: LogFields["stage"];
  db: D1Database;
  bells: Bells;
  /** Makes what is done what the rows of these keys say. What it throws is tried again, one key at a time. */
  reconcile: (keys: readonly string[]) => Promise<ReconcileAgain>;
}

/** A retry is one queue operation and a new message three, but retries are numbered: the first times they are used. */
const AGAIN_BY_RETRY = 2;
const RETRY_MS_MAX = 30_000;

/** Consumes a batch. One bad message never fails its batch: when all together throw, each key is reconciled alone. */
export async function consume(batch: MessageBatch, consumer: Consumer): Promise<void> {
  const messages = await readDoorbells(batch, consumer);
  try {
    await reconcileAndAcknowledge(messages, consumer);
  } catch (error) {
    if (messages.length === 1) retryAll(messages, consumer, error);
    else await Promise.all(messages.map((message) => alone(message, consumer)));
  }
}

interface Ring {
  message: Message;
  doorbell: Doorbell;
}

async function alone(ringing: Ring, consumer: Consumer): Promise<void> {
  try {
    await reconcileAndAcknowledge([ringing], consumer);
  } catch (error) {
    retryAll([ringing], consumer, error);
  }
}

async function reconcileAndAcknowledge(rings: readonly Ring[], consumer: Consumer): Promise<void> {
  if (rings.length === 0) return;
  const again = await consumer.reconcile([...new Set(rings.map(({ doorbell }) => doorbell.key))]);
  for (const { message, doorbell } of rings) {
    const waitMs = again.get(doorbell.key);
    if (waitMs === undefined) {
      message.ack();
      continue;
    }
    if (message.attempts <= AGAIN_BY_RETRY) message.retry({ delaySeconds: Math.ceil(waitMs / 1_000) });
    else {
      await ring(consumer.bells, [{ ...doorbell, delay_ms: waitMs }], consumer.stage);
      message.ack();
    }
  }
}

function retryAll(rings: readonly Ring[], { stage }: Consumer, error: unknown): void {
  for (const { message, doorbell } of rings) {
    log("error", {
      stage,
      effect: "look",
      key: doorbell.key,
      attempt: message.attempts,
      detail: describeError(error),
    });
    message.retry({ delaySeconds: backoffMs(message.attempts, RETRY_MS_MAX) / 1_000 });
  }
}

/** Parks what is no doorbell, with its bytes, and returns the rest. */
async function readDoorbells(batch: MessageBatch, { stage, db }: Consumer): Promise<Ring[]> {
  const rings: Ring[] = [];
  for (const message of batch.messages) {
    const doorbell = Doorbell.safeParse(message.body);
    if (doorbell.success) {
      rings.push({ message, doorbell: doorbell.data });
      continue;
    }
    const body = JSON.stringify(message.body) ?? String(message.body);
    const reason = `not a doorbell, from queue ${batch.queue}`;
    log("error", { stage, effect: "parked", detail: reason });
    await parkUnreadable(db, { key: await sha256Hex(body), body, reason, now: Date.now() });
    message.ack();
  }
  return rings;
}
