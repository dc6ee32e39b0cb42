/** The doorbells as the clock sees them: what is due, and what a dead process has left. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { Doorbell } from "../contracts/doorbell.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { Batch, select } from "./batch.ts";
import { ACTIVE } from "./statements/guards.ts";

const Due = z.extend(Doorbell, { rings: z.int() });
export type DueDoorbell = z.infer<typeof Due>;

/**
 * Takes every doorbell past its time and moves it to its next, in one statement, so that two sweeps never ring the same.
 * Waits double with the rings, up to `backoff_ms_max`.
 */
export function takeDue(db: D1Database, now: number, timings: Timings): Promise<DueDoorbell[]> {
  const { doorbell_grace_ms, backoff_ms_max } = timings;
  return select(
    db,
    sql`UPDATE outbox
      SET rings = rings + 1, ring_at = ${now} + MIN(${doorbell_grace_ms} << MIN(rings, 20), ${backoff_ms_max})
      WHERE (queue, key) IN (
        SELECT queue, key FROM outbox WHERE parked_reason IS NULL AND ring_at <= ${now}
        ORDER BY ring_at LIMIT ${LIMITS.sweep_rows_max}
      )
      RETURNING queue, key, rings`,
    Due,
  );
}

/** A reply whose creation is in doubt waits for the others: first again after every crash, it would be the one in doubt each time. */
const DOUBT_WAIT_MS = 2_000;

/** At start-up on one machine: whatever the dead process had claimed is nobody's, and every doorbell is due. */
export async function expireClaims(db: D1Database, now: number): Promise<void> {
  await new Batch()
    .add("turns", sql`UPDATE turns SET claimed_until = 0 WHERE text IS NULL`)
    // That the process ended is no fault of the task: the revival that follows does not count.
    .add(
      "tasks",
      sql`UPDATE tasks SET claimed_until = 0, revivals = CASE WHEN n.seq > revived_seq THEN -1 ELSE revivals - 1 END, revived_seq = n.seq
        FROM (SELECT id, COALESCE((SELECT MAX(seq) FROM events WHERE task_id = t.id), 0) AS seq FROM tasks t WHERE t.${ACTIVE}) n
        WHERE n.id = tasks.id`,
    )
    .add(
      "replies",
      sql`UPDATE replies SET lease_token = NULL, lease_until = 0 WHERE state = 'open' AND lease_until > 0`,
    )
    .add(
      "doorbells",
      sql`UPDATE outbox SET rings = 0, ring_at = CASE
          WHEN queue = 'replies' AND EXISTS (
            SELECT 1 FROM deliveries WHERE reply_id = outbox.key AND state IN ('creating', 'doubtful'))
          THEN ${now + DOUBT_WAIT_MS} ELSE 0 END
        WHERE parked_reason IS NULL`,
    )
    .run(db);
}
