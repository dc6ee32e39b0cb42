/** A task waits while every call of it that is not done waits for a person. */
import sql from "sql-template-tag";
import type { Batch } from "../batch.ts";

/** Adds what makes it wait, if that is so now: its deadline stands still, and its doorbell rings when the first request expires. */
export function addWaiting(batch: Batch, taskId: string, now: number): Batch {
  const asked = sql`FROM approvals a WHERE a.task_id = ${taskId} AND a.state = 'open'`;
  return batch
    .add(
      "wait",
      sql`UPDATE tasks SET state = 'waiting', waiting_since = ${now}
        WHERE id = ${taskId} AND state IN ('queued', 'running') AND EXISTS (SELECT 1 ${asked}) AND NOT EXISTS (
          SELECT 1 FROM calls c WHERE c.task_id = ${taskId} AND c.ok IS NULL
            AND NOT EXISTS (SELECT 1 ${asked} AND a.turn = c.turn AND a.call = c.call))`,
    )
    .add(
      "expiry",
      sql`UPDATE outbox SET rings = 0, ring_at = (SELECT MIN(expires_at) ${asked})
        WHERE queue = 'tasks' AND key = ${taskId} AND EXISTS (SELECT 1 FROM tasks WHERE id = ${taskId} AND state = 'waiting')`,
    );
}
