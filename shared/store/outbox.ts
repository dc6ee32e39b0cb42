/** Doorbell rows: written by whoever changes state, deleted by whoever has handled it, rung again by the sweep. */
import * as z from "zod/mini";
import { Doorbell, PendingDoorbell, type QueueName } from "../contracts/doorbell.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { rowsOf, runBatch } from "./batch.ts";

const Due = z.extend(Doorbell, { rings: z.int() });
export type DueDoorbell = z.infer<typeof Due>;

/** The doorbells that a statement with `RETURNING queue, key` wrote: what the caller rings after the batch. */
export function doorbellsOf(result: D1Result): PendingDoorbell[] {
  return rowsOf(result, PendingDoorbell);
}

/**
 * Takes every doorbell past its time and moves it to its next, in one statement, so that two sweeps never ring the same.
 * Waits double with the rings, up to `backoff_ms_max`.
 */
export async function takeDue(db: D1Database, now: number, timings: Timings): Promise<DueDoorbell[]> {
  const result = await db
    .prepare(
      `UPDATE outbox
       SET rings = rings + 1, ring_at = ?1 + MIN(?2 << MIN(rings, 20), ?3)
       WHERE (queue, key) IN (
         SELECT queue, key FROM outbox WHERE parked_reason IS NULL AND ring_at <= ?1 ORDER BY ring_at LIMIT ?4
       )
       RETURNING queue, key, rings`,
    )
    .bind(now, timings.doorbell_grace_ms, timings.backoff_ms_max, LIMITS.sweep_rows_max)
    .all();
  return rowsOf(result, Due);
}

/** At start-up on one machine: whatever the dead process had claimed is nobody's, and every doorbell is due. */
export async function expireClaims(db: D1Database): Promise<void> {
  await db.batch([
    db.prepare("UPDATE turns SET claimed_until = 0 WHERE text IS NULL"),
    db.prepare("UPDATE tasks SET claimed_until = 0 WHERE state IN ('queued', 'running', 'waiting')"),
    db.prepare(
      "UPDATE replies SET lease_token = NULL, lease_until = 0 WHERE state = 'open' AND lease_until > 0",
    ),
    db.prepare("UPDATE outbox SET ring_at = 0, rings = 0 WHERE parked_reason IS NULL"),
  ]);
}

/** Deletes a doorbell that was handled, unless somebody rang it again meanwhile. */
export function deleteDoorbell(
  db: D1Database,
  queue: QueueName,
  key: string,
  version: number,
): D1PreparedStatement {
  return db
    .prepare("DELETE FROM outbox WHERE queue = ? AND key = ? AND version = ?")
    .bind(queue, key, version);
}

/** Puts a doorbell aside: no sweep rings it until somebody replays it. False when it is gone or parked already. */
export async function park(
  db: D1Database,
  doorbell: Doorbell,
  reason: string,
  now: number,
): Promise<boolean> {
  const results = await runBatch(db, parkStatements(db, doorbell, reason, now));
  return results("park").meta.changes === 1;
}

export function parkStatements(db: D1Database, { queue, key }: Doorbell, reason: string, now: number) {
  return {
    park: db
      .prepare(
        `UPDATE outbox SET parked_reason = ?3, parked_at = ?4
         WHERE queue = ?1 AND key = ?2 AND parked_reason IS NULL`,
      )
      .bind(queue, key, reason, now),
    inbound: db
      .prepare(
        "UPDATE inbound SET state = 'parked', note = ?2 WHERE ?3 = 'inbound' AND id = ?1 AND state = 'new'",
      )
      .bind(key, reason, queue),
  };
}

/** A queue message that is no doorbell: kept as it came, for nobody knows what it was to ring. */
export async function parkUnreadable(
  db: D1Database,
  { key, body, reason, now }: { key: string; body: string; reason: string; now: number },
): Promise<void> {
  await db
    .prepare(
      `INSERT INTO outbox (queue, key, ring_at, parked_reason, parked_at, parked_body)
       VALUES ('unreadable', ?1, ?2, ?3, ?2, ?4) ON CONFLICT DO NOTHING`,
    )
    .bind(key, now, reason, body)
    .run();
}
