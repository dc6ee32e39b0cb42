/** Reconciling tasks whose doorbells rang: those that nobody is at work on are claimed for whoever makes their Workflow run. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { TaskState } from "../contracts/task.ts";
import type { Timings } from "../limits.ts";
import { Batch, jsonColumn, prepare } from "./batch.ts";
import { deleteDoorbell } from "./statements/doorbells.ts";
import { ACTIVE } from "./statements/guards.ts";

const RungTask = z.object({
  id: z.string(),
  /** Of its doorbell. */
  version: z.int(),
  /** Null: there is no such task. */
  state: z.nullable(TaskState),
  conversation_id: z.nullable(z.string()),
  deadline_at: z.nullable(z.int()),
  /** How many of its requests are open. */
  asked: z.int(),
  /** Requests that were decided, and of which its Workflow was not told yet. */
  decided: jsonColumn(z.array(z.string())),
});
export type RungTask = z.infer<typeof RungTask>;

/** Claims fresh tasks, and ones whose worker has been silent past its claim. Two reconcilers never claim the same. */
export async function claimTasks(
  db: D1Database,
  taskIds: readonly string[],
  now: number,
  timings: Timings,
): Promise<{ tasks: RungTask[]; claimed: ReadonlySet<string> }> {
  const ids = sql`(SELECT value FROM json_each(${JSON.stringify(taskIds)}))`;
  const results = await new Batch()
    .add(
      "claim",
      sql`UPDATE tasks SET claimed_until = ${now + timings.reconcile_claim_ms}
        WHERE id IN ${ids} AND state IN ('queued', 'running') AND claimed_until <= ${now} AND deadline_at > ${now}
        RETURNING id`,
    )
    // Whoever is at work is due when their claim is over.
    .add(
      "next",
      sql`UPDATE outbox SET ring_at = (SELECT MIN(MAX(t.claimed_until, ${now}), t.deadline_at) FROM tasks t WHERE t.id = key)
        WHERE queue = 'tasks' AND key IN ${ids}
          AND EXISTS (SELECT 1 FROM tasks t WHERE t.id = key AND t.state IN ('queued', 'running') AND t.deadline_at > ${now})`,
    )
    .add(
      "tasks",
      sql`SELECT o.key AS id, o.version, t.state, t.conversation_id, t.deadline_at,
          (SELECT COUNT(*) FROM approvals a WHERE a.task_id = o.key AND a.state = 'open') AS asked,
          (SELECT json_group_array(a.id) FROM approvals a WHERE a.task_id = o.key AND a.state <> 'open' AND a.woken_at IS NULL) AS decided
        FROM outbox o LEFT JOIN tasks t ON t.id = o.key WHERE o.queue = 'tasks' AND o.key IN ${ids}`,
    )
    .run(db);
  return {
    tasks: results.rows("tasks", RungTask),
    claimed: new Set(results.rows("claim", z.object({ id: z.string() })).map(({ id }) => id)),
  };
}

/** Gives the claim back, for whoever reconciles next. */
export async function releaseTask(db: D1Database, taskId: string): Promise<void> {
  await prepare(db, sql`UPDATE tasks SET claimed_until = 0 WHERE id = ${taskId} AND ${ACTIVE}`).run();
}

/** A task that needs nobody any more: its doorbell goes, unless it was rung again meanwhile. */
export async function dropTaskDoorbell(db: D1Database, taskId: string, version: number): Promise<void> {
  await prepare(db, deleteDoorbell("tasks", taskId, version)).run();
}
