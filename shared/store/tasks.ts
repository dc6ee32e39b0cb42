/** Tasks as the executor looks at them and as people list them in chat. */
import * as z from "zod/mini";
import { TaskState } from "../contracts/task.ts";
import type { Timings } from "../limits.ts";
import { ACTIVE, rowsOf, runBatch } from "./batch.ts";

const Looked = z.object({
  id: z.string(),
  version: z.int(),
  state: z.nullable(TaskState),
  conversation_id: z.nullable(z.string()),
  deadline_at: z.nullable(z.int()),
});
export type LookedTask = z.infer<typeof Looked>;

/**
 * Reads the tasks whose doorbells rang, and claims those that nobody is at work on: fresh ones, and ones
 * whose worker has been silent past its claim. Two lookers never claim the same.
 */
export async function lookAtTasks(
  db: D1Database,
  taskIds: readonly string[],
  now: number,
  timings: Timings,
): Promise<{ tasks: LookedTask[]; claimed: ReadonlySet<string> }> {
  const ids = JSON.stringify(taskIds);
  const until = now + timings.look_claim_ms;
  const results = await runBatch(db, {
    claim: db
      .prepare(
        `UPDATE tasks SET claimed_until = ?3
         WHERE id IN (SELECT value FROM json_each(?1)) AND state IN ('queued', 'running') AND claimed_until <= ?2
           AND deadline_at > ?2
         RETURNING id`,
      )
      .bind(ids, now, until),
    next: db
      .prepare(
        `UPDATE outbox SET ring_at = (SELECT MIN(MAX(t.claimed_until, ?2), t.deadline_at) FROM tasks t WHERE t.id = key)
         WHERE queue = 'tasks' AND key IN (SELECT value FROM json_each(?1))
           AND EXISTS (SELECT 1 FROM tasks t WHERE t.id = key AND t.${ACTIVE} AND t.deadline_at > ?2)`,
      )
      .bind(ids, now),
    tasks: db
      .prepare(
        `SELECT o.key AS id, o.version, t.state, t.conversation_id, t.deadline_at
         FROM outbox o LEFT JOIN tasks t ON t.id = o.key
         WHERE o.queue = 'tasks' AND o.key IN (SELECT value FROM json_each(?1))`,
      )
      .bind(ids),
  });
  return {
    tasks: rowsOf(results("tasks"), Looked),
    claimed: new Set(rowsOf(results("claim"), z.object({ id: z.string() })).map((row) => row.id)),
  };
}

/** Gives a look's claim back, for whoever looks next. */
export async function releaseLook(db: D1Database, taskId: string): Promise<void> {
  await db.prepare(`UPDATE tasks SET claimed_until = 0 WHERE id = ? AND ${ACTIVE}`).bind(taskId).run();
}

/** Says that the task's worker is alive until `until`: the next look is then, or at the deadline. */
export function keepAlive(db: D1Database, taskId: string, until: number) {
  return {
    alive: db
      .prepare(
        `UPDATE tasks SET claimed_until = MAX(claimed_until, ?2), state = CASE state WHEN 'queued' THEN 'running' ELSE state END
         WHERE id = ?1 AND ${ACTIVE}`,
      )
      .bind(taskId, until),
    nextLook: db
      .prepare(
        `UPDATE outbox SET rings = 0, ring_at = (SELECT MIN(claimed_until, deadline_at) FROM tasks WHERE id = ?1)
         WHERE queue = 'tasks' AND key = ?1 AND EXISTS (SELECT 1 FROM tasks WHERE id = ?1 AND ${ACTIVE})`,
      )
      .bind(taskId),
  };
}

const Listed = z.object({
  id: z.string(),
  state: TaskState,
  created_at: z.int(),
  ended_at: z.nullable(z.int()),
  turns: z.int(),
  prompt: z.nullable(z.string()),
});
export type ListedTask = z.infer<typeof Listed>;

/** The newest tasks of a conversation whose ids begin with the prefix, newest first. */
export async function recentTasks(
  db: D1Database,
  { conversationId, idPrefix, limit }: { conversationId: string; idPrefix: string; limit: number },
): Promise<ListedTask[]> {
  const result = await db
    .prepare(
      `SELECT t.id, t.state, t.created_at, t.ended_at,
         (SELECT COUNT(*) FROM turns WHERE task_id = t.id AND text IS NOT NULL) AS turns,
         (SELECT json_extract(content, '$.text') FROM messages WHERE id = 'msg_' || substr(t.id, 6)) AS prompt
       FROM tasks t WHERE t.conversation_id = ?1 AND substr(t.id, 1, length(?2)) = ?2
       ORDER BY t.seq DESC LIMIT ?3`,
    )
    .bind(conversationId, idPrefix, limit)
    .all();
  return rowsOf(result, Listed);
}
