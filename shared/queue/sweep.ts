/** The clock's work: ring every doorbell that is due and was not handled. */
import type { Doorbell } from "../contracts/doorbell.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { takeDue } from "../store/outbox.ts";
import { type Bells, ring } from "./doorbell.ts";

/**
 * Rings what is due. A doorbell that was rung too often without any progress goes to the dead-letter desk instead,
 * which parks it and tells the person.
 */
export async function sweep(
  db: D1Database,
  bells: Bells,
  deadLetters: Queue<Doorbell>,
  now: number,
  timings: Timings,
): Promise<number> {
  const due = await takeDue(db, now, timings);
  await ring(bells, due.filter(({ rings }) => rings <= LIMITS.rings_max).map(plain), "ingress");
  await ring(
    { inbound: deadLetters, tasks: deadLetters, replies: deadLetters },
    due.filter(({ rings }) => rings > LIMITS.rings_max).map(plain),
    "ingress",
  );
  return due.length;
}

const plain = ({ queue, key }: Doorbell): Doorbell => ({ queue, key });
