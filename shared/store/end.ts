/**
 * The ends of a task: done, out of time, stopped. Whoever ends it writes the answer in words, and in the same batch
 * starts what is still unread. Of several that try, one wins: the others see that `ended_by` is not theirs.
 */
import * as z from "zod/mini";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { FinalState } from "../contracts/task.ts";
import type { Timings } from "../limits.ts";
import { ACTIVE, rowOf, runBatch } from "./batch.ts";
import { doorbellsOf } from "./outbox.ts";
import { startStatements } from "./start.ts";

export interface TaskEnd {
  taskId: string;
  state: FinalState;
  /** Who ends it: the same name may try again and finds its own work done. */
  endedBy: string;
  /** The answer's words, or the turn whose text it is. */
  answer: { text: string } | { turn: number };
}

export interface EndedTask {
  /** False: somebody else ended it before, in another way. */
  byMe: boolean;
  /** To ring: the reply's and, if something was unread, the next task's. */
  doorbells: PendingDoorbell[];
  conversationId: string;
}

/** Ends a task that is still active. */
export async function endTask(
  db: D1Database,
  end: TaskEnd,
  now: number,
  timings: Timings,
): Promise<EndedTask> {
  const results = await runBatch(db, endStatements(db, end, now, timings));
  const ended = rowOf(results("ended"), z.object({ conversation_id: z.string(), by_me: z.int() }));
  return {
    byMe: ended?.by_me === 1,
    doorbells: [...doorbellsOf(results("ring")), ...doorbellsOf(results("doorbells"))],
    conversationId: ended?.conversation_id ?? "",
  };
}

/** What an end consists of, for whoever ends a task and does something else in the same batch; `ring` and `doorbells` are to be rung. */
export function endStatements(db: D1Database, end: TaskEnd, now: number, timings: Timings) {
  const { taskId, state, endedBy, answer } = end;
  const byMe = "EXISTS (SELECT 1 FROM tasks WHERE id = ?1 AND ended_by = ?2)";
  return {
    end: db
      .prepare(`UPDATE tasks SET state = ?3, ended_by = ?2, ended_at = ?4 WHERE id = ?1 AND ${ACTIVE}`)
      .bind(taskId, endedBy, state, now),
    // The message that began it has its outcome now, even if no turn came to read it.
    began: db
      .prepare(
        `UPDATE messages SET turn_id = ?1 || '/end' WHERE id = 'msg_' || substr(?1, 6) AND turn_id IS NULL AND ${byMe}`,
      )
      .bind(taskId, endedBy),
    answer: db
      .prepare(
        `UPDATE replies SET final = 1, revision = revision + 1,
           text = COALESCE(?3, (SELECT text FROM turns WHERE task_id = ?1 AND n = ?4))
         WHERE id = ?1 AND final = 0 AND ${byMe}`,
      )
      .bind(taskId, endedBy, "text" in answer ? answer.text : null, "turn" in answer ? answer.turn : null),
    look: db
      .prepare(`DELETE FROM outbox WHERE queue = 'tasks' AND key = ?1 AND parked_reason IS NULL AND ${byMe}`)
      .bind(taskId, endedBy),
    event: db
      .prepare(
        `INSERT INTO events (task_id, key, at, data)
         SELECT id, 'ended', ?3, json_patch('{}', json_object('state', state, 'reason', ?4)) FROM tasks WHERE id = ?1 AND ended_by = ?2
         ON CONFLICT DO NOTHING`,
      )
      .bind(taskId, endedBy, now, "text" in answer ? answer.text : null),
    ring: ringReply(db, end, now, timings),
    ...startStatements(
      db,
      { sql: "SELECT conversation_id FROM tasks WHERE id = ?1", binding: taskId },
      now,
      timings,
    ),
    ended: db
      .prepare("SELECT conversation_id, ended_by = ?2 AS by_me FROM tasks WHERE id = ?1")
      .bind(taskId, endedBy),
  };
}

export interface Stop {
  conversationId: string;
  /** The active task must have an id that begins so; "task_" means whichever it is. */
  taskIdPrefix: string;
  endedBy: string;
  /** The answer; `{unread}` becomes `unreadText` when messages were waiting behind the task, with `{n}` their number. */
  text: string;
  unreadText: string;
  /** An inbound that asks for it: it stops nothing once it is handled. NULL for the API. */
  inboundId: string | null;
}

/**
 * Stops the conversation's active task and takes what is unread with it, in the words of the task's own answer.
 * The task's doorbell stays and is rung: the executor ends the workflow.
 */
export function stopStatements(db: D1Database, stop: Stop, now: number, timings: Timings) {
  const { conversationId, endedBy } = stop;
  // The one that was active is always the conversation's newest.
  const mine = `SELECT id FROM (SELECT id, ended_by FROM tasks WHERE conversation_id = ?1 ORDER BY seq DESC LIMIT 1)
    WHERE ended_by = ?2`;
  return {
    stop: db
      .prepare(
        `UPDATE tasks SET state = 'cancelled', ended_by = ?2, ended_at = ?3
         WHERE conversation_id = ?1 AND ${ACTIVE} AND substr(id, 1, length(?4)) = ?4
           AND (?5 IS NULL OR EXISTS (SELECT 1 FROM inbound WHERE id = ?5 AND state = 'new'))`,
      )
      .bind(conversationId, endedBy, now, stop.taskIdPrefix, stop.inboundId),
    // The message that began the task is not "behind" it.
    answer: db
      .prepare(
        `UPDATE replies SET final = 1, revision = revision + 1, text = (
           SELECT replace(?3, '{unread}', CASE COUNT(*) WHEN 0 THEN '' ELSE replace(?4, '{n}', COUNT(*)) END)
           FROM messages WHERE conversation_id = ?1 AND turn_id IS NULL AND 'task_' || substr(messages.id, 5) <> replies.id)
         WHERE id = (${mine}) AND final = 0`,
      )
      .bind(conversationId, endedBy, stop.text, stop.unreadText),
    unread: db
      .prepare(
        `UPDATE messages SET turn_id = ?2 WHERE conversation_id = ?1 AND turn_id IS NULL AND EXISTS (${mine})`,
      )
      .bind(conversationId, endedBy),
    stopped: db
      .prepare(
        `INSERT INTO events (task_id, key, at, data)
         SELECT id, 'ended', ?3, json_object('state', 'cancelled', 'by', ?2) FROM tasks WHERE id = (${mine})
         ON CONFLICT DO NOTHING`,
      )
      .bind(conversationId, endedBy, now),
    ringStopped: db
      .prepare(
        `INSERT INTO outbox (queue, key, ring_at)
         SELECT 'tasks', id, ?3 FROM tasks WHERE id = (${mine})
         UNION ALL
         SELECT 'replies', t.id, ?3 FROM tasks t JOIN conversations c ON c.id = t.conversation_id
         WHERE t.id = (${mine}) AND c.channel <> 'api'
         ON CONFLICT DO UPDATE SET version = version + 1, ring_at = ?3, rings = 0, parked_reason = NULL, parked_at = NULL
       RETURNING queue, key`,
      )
      .bind(conversationId, endedBy, now + timings.doorbell_grace_ms),
  };
}

function ringReply(
  db: D1Database,
  { taskId, endedBy }: TaskEnd,
  now: number,
  timings: Timings,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO outbox (queue, key, ring_at)
       SELECT 'replies', t.id, ?3 FROM tasks t JOIN conversations c ON c.id = t.conversation_id
       WHERE t.id = ?1 AND t.ended_by = ?2 AND c.channel <> 'api'
         AND EXISTS (SELECT 1 FROM replies WHERE id = ?1 AND state = 'open')
       ON CONFLICT DO UPDATE SET version = version + 1, ring_at = ?3, rings = 0, parked_reason = NULL, parked_at = NULL
       RETURNING queue, key`,
    )
    .bind(taskId, endedBy, now + timings.doorbell_grace_ms);
}
