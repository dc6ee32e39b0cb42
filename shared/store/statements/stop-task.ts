/** Stopping a task: it is ended, and what is unread behind it goes with it, which its answer says. */
import sql, { type Sql } from "sql-template-tag";
import type { Timings } from "../../limits.ts";
import type { Batch } from "../batch.ts";
import { ringAgain } from "./doorbells.ts";
import { ACTIVE } from "./guards.ts";

export interface Stop {
  readonly conversationId: string;
  /** The active task must have an id that begins so; "task_" means whichever it is. */
  readonly taskIdPrefix: string;
  readonly endedBy: string;
  /** The answer; `{unread}` becomes `unreadText` when messages were waiting behind the task, with `{n}` their number. */
  readonly text: string;
  readonly unreadText: string;
  /** What must hold for it to be stopped. */
  readonly only: Sql;
}

/** The task that this stop has ended, as SQL: of a conversation the newest, for only that one was active. */
export function stoppedTask({ conversationId, endedBy }: Pick<Stop, "conversationId" | "endedBy">): Sql {
  return sql`SELECT id FROM (SELECT id, ended_by FROM tasks WHERE conversation_id = ${conversationId} ORDER BY seq DESC LIMIT 1)
    WHERE ended_by = ${endedBy}`;
}

/** Adds everything that a stop is. The task's doorbell stays and is rung: the executor ends its Workflow. `name` tells stops of one batch apart. */
export function addStopTask(batch: Batch, name: string, stop: Stop, now: number, timings: Timings): Batch {
  const { conversationId, endedBy, taskIdPrefix, text, unreadText, only } = stop;
  const stopped = stoppedTask(stop);
  const target = sql`conversation_id = ${conversationId} AND ${ACTIVE}
    AND substr(id, 1, ${taskIdPrefix.length}) = ${taskIdPrefix} AND ${only}`;
  const data = sql`json_object('state', 'cancelled', 'by', ${endedBy}, 'reason', NULL)`;
  const ringAt = now + timings.doorbell_grace_ms;
  return (
    batch
      .add(
        `${name} event`,
        sql`INSERT INTO events (task_id, seq, type, at, data)
          SELECT id, COALESCE((SELECT MAX(seq) FROM events WHERE task_id = tasks.id), 0) + 1, 'ended', ${now}, ${data}
          FROM tasks WHERE ${target}`,
      )
      .add(
        name,
        sql`UPDATE tasks SET state = 'cancelled', ended_by = ${endedBy}, ended_at = ${now} WHERE ${target}`,
      )
      // The message that began the task is not "behind" it.
      .add(
        `${name} answer`,
        sql`UPDATE replies SET final = 1, revision = revision + 1, text = (
            SELECT replace(${text}, '{unread}', CASE COUNT(*) WHEN 0 THEN '' ELSE replace(${unreadText}, '{n}', COUNT(*)) END)
            FROM messages WHERE conversation_id = ${conversationId} AND task_id IS NULL AND starts_task_id <> replies.id)
          WHERE id = (${stopped}) AND final = 0`,
      )
      // Without a stopped task they stay unread: nobody's id is null.
      .add(
        `${name} unread`,
        sql`UPDATE messages SET task_id = (${stopped}) WHERE conversation_id = ${conversationId} AND task_id IS NULL`,
      )
      .addRinging(
        `${name} ring`,
        sql`INSERT INTO outbox (queue, key, ring_at)
          SELECT 'tasks', id, ${ringAt} FROM tasks WHERE id = (${stopped})
          UNION ALL
          SELECT 'replies', t.id, ${ringAt} FROM tasks t JOIN conversations c ON c.id = t.conversation_id
          WHERE t.id = (${stopped}) AND c.channel <> 'api'
          ${ringAgain(ringAt)}`,
      )
  );
}
