/**
 * The statements by which a conversation with something unread gets its next task. Triage, the API and every end of a task run
 * them; run twice, reordered or interleaved they change nothing more.
 */
import sql, { type Sql } from "sql-template-tag";
import type { Timings } from "../../limits.ts";
import type { Batch } from "../batch.ts";
import { ACTIVE } from "./guards.ts";

/** @param conversationIds SQL for a set of ids, such as `SELECT value FROM json_each(?)`. */
export function addStartTasks(batch: Batch, conversationIds: Sql, now: number, timings: Timings): Batch {
  const queued = sql`FROM tasks t JOIN conversations c ON c.id = t.conversation_id
    WHERE t.conversation_id IN (${conversationIds}) AND t.${ACTIVE} AND t.state = 'queued'`;
  const ringAt = now + timings.doorbell_grace_ms;
  return (
    batch
      // The oldest unread message begins it, and holds its id: the same message can never begin two.
      .add(
        "task",
        sql`INSERT INTO tasks (id, tenant_id, conversation_id, message_id, sender, nonce, state, deadline_at, created_at)
          SELECT m.starts_task_id, c.tenant_id, c.id, m.id, m.sender, lower(hex(randomblob(6))), 'queued', ${now + timings.task_deadline_ms}, ${now}
          FROM conversations c
          JOIN messages m ON m.seq = (SELECT MIN(seq) FROM messages WHERE conversation_id = c.id AND task_id IS NULL)
          WHERE c.id IN (${conversationIds}) ON CONFLICT DO NOTHING`,
      )
      .add(
        "began",
        sql`INSERT INTO events (task_id, seq, type, at, data)
          SELECT t.id, e.key + 1, e.value, CASE e.key WHEN 0 THEN m.created_at ELSE ${now} END,
            CASE e.key WHEN 0 THEN json_object('message', m.id, 'channel', c.channel) ELSE '{}' END
          FROM tasks t JOIN conversations c ON c.id = t.conversation_id JOIN messages m ON m.id = t.message_id
            JOIN json_each('["accepted","queued"]') e
          WHERE t.conversation_id IN (${conversationIds}) AND t.${ACTIVE} AND t.state = 'queued'
            AND NOT EXISTS (SELECT 1 FROM replies WHERE id = t.id)`,
      )
      .add(
        "reply",
        sql`INSERT INTO replies (id, tenant_id, conversation_id, text, answers_id, created_at)
          SELECT t.id, t.tenant_id, t.conversation_id, '', (SELECT external_id FROM messages WHERE id = t.message_id), ${now} ${queued}
          ON CONFLICT DO NOTHING`,
      )
      // The API is answered by reading, so nobody needs to look at its replies. Most answers are there before anybody needs a
      // sign that they are coming.
      .addRinging(
        "start",
        sql`INSERT INTO outbox (queue, key, ring_at)
          SELECT 'tasks', t.id, ${ringAt} ${queued}
          UNION ALL SELECT 'replies', t.id, ${ringAt} ${queued} AND c.channel <> 'api'
          ON CONFLICT DO NOTHING
          RETURNING queue, key, CASE queue WHEN 'replies' THEN ${timings.sign_after_ms} ELSE 0 END AS delay_ms`,
      )
  );
}

/** The conversations of a list. */
export function selectConversations(ids: readonly string[]): Sql {
  return sql`SELECT value FROM json_each(${JSON.stringify(ids)})`;
}

/** The conversation of a task. */
export function selectConversationOf(taskId: string): Sql {
  return sql`SELECT conversation_id FROM tasks WHERE id = ${taskId}`;
}
