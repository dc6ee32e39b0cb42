/** Saying that a task's worker is alive. */
import sql, { type Sql } from "sql-template-tag";
import { ACTIVE, taskActive } from "./guards.ts";

/** Nobody else revives the task until then. `isStep`: it gets on, so that its revivals are counted anew. */
export function heartbeat(taskId: string, until: number, isStep = false): Sql {
  return sql`UPDATE tasks SET revivals = CASE WHEN ${isStep ? 1 : 0} THEN 0 ELSE revivals END, claimed_until = MAX(claimed_until, ${until}), state = CASE state WHEN 'queued' THEN 'running' ELSE state END
    WHERE id = ${taskId} AND ${ACTIVE}`;
}

/**
 * Puts the doorbell of an active task off: progress, so its rings are counted anew. Once a turn is often enough; a doorbell that rings
 * between is put off by whoever reconciles.
 */
export function pauseDoorbell(taskId: string, until: number): Sql {
  return sql`UPDATE outbox SET rings = 0, ring_at = (SELECT MIN(MAX(claimed_until, ${until}), deadline_at) FROM tasks WHERE id = ${taskId})
    WHERE queue = 'tasks' AND key = ${taskId} AND ${taskActive(taskId)}`;
}
