/**
 * `start`: the one statement set by which a conversation with something unread gets its next task.
 * Triage, the API and every end of a task run it; run twice, reordered or interleaved it changes nothing more.
 */
import type { Timings } from "../limits.ts";
import { ACTIVE } from "./batch.ts";

/**
 * @param conversationIds SQL for a set of ids, such as `SELECT value FROM json_each(?)`, and its one binding.
 * @returns statements to spread into a batch; `doorbells` answers with the rows to ring.
 */
export function startStatements(
  db: D1Database,
  conversationIds: { sql: string; binding: string },
  now: number,
  timings: Timings,
) {
  const queued = `FROM tasks t JOIN conversations c ON c.id = t.conversation_id
    WHERE t.conversation_id IN (${conversationIds.sql}) AND t.${ACTIVE} AND t.state = 'queued'`;
  const bind = (sql: string, ...more: number[]) =>
    db.prepare(sql).bind(conversationIds.binding, now, ...more);
  return {
    // The task takes its message's suffix: the same message can never start two.
    task: bind(
      `INSERT INTO tasks (id, tenant_id, conversation_id, state, deadline_at, created_at)
       SELECT 'task_' || substr(m.id, 5), c.tenant_id, c.id, 'queued', ?2 + ?3, ?2
       FROM conversations c
       JOIN messages m ON m.seq = (SELECT MIN(seq) FROM messages WHERE conversation_id = c.id AND turn_id IS NULL)
       WHERE c.id IN (${conversationIds.sql})
       ON CONFLICT DO NOTHING`,
      timings.task_deadline_ms,
    ),
    reply: bind(
      `INSERT INTO replies (id, tenant_id, conversation_id, text, created_at)
       SELECT t.id, t.tenant_id, t.conversation_id, '', ?2 ${queued} ON CONFLICT DO NOTHING`,
    ),
    accepted: bind(
      `INSERT INTO events (task_id, key, at, data)
       SELECT t.id, 'accepted', m.created_at, json_object('message', m.id, 'channel', c.channel)
       FROM tasks t JOIN conversations c ON c.id = t.conversation_id JOIN messages m ON m.id = 'msg_' || substr(t.id, 6)
       WHERE t.conversation_id IN (${conversationIds.sql}) AND t.${ACTIVE} AND t.state = 'queued' AND ?2 > 0
       ON CONFLICT DO NOTHING`,
    ),
    queued: bind(
      `INSERT INTO events (task_id, key, at) SELECT t.id, 'queued', ?2 ${queued} ON CONFLICT DO NOTHING`,
    ),
    // The API is answered by reading, so nobody needs to look at its replies.
    doorbells: bind(
      `INSERT INTO outbox (queue, key, ring_at)
       SELECT 'tasks', t.id, ?2 + ?3 ${queued}
       UNION ALL SELECT 'replies', t.id, ?2 + ?3 ${queued} AND c.channel <> 'api'
       ON CONFLICT DO NOTHING RETURNING queue, key, CASE queue WHEN 'replies' THEN ?4 ELSE 0 END AS delay_ms`,
      timings.doorbell_grace_ms,
      // Most answers are there before anybody needs a sign that they are coming.
      timings.sign_after_ms,
    ),
  };
}

/** The conversations of a list, for `startStatements`. */
export function conversationsIn(ids: readonly string[]) {
  return { sql: "SELECT value FROM json_each(?1)", binding: JSON.stringify(ids) };
}
