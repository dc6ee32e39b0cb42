/** Deleting what belongs together. Ids are bound as a list; whoever calls has found out that nobody works on it any more. */
import sql, { type Sql } from "sql-template-tag";
import type { Batch } from "../batch.ts";

const listed = (ids: readonly string[]): Sql => sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`;

/** Tasks with everything that was planned, done, told and read in them. Their files' content goes when nothing names it. */
export function addDeleteTasks(batch: Batch, taskIds: readonly string[]): void {
  const ids = listed(taskIds);
  const read = sql`conversation_id IN (SELECT conversation_id FROM tasks WHERE id IN ${ids}) AND task_id IN ${ids}`;
  batch
    .add("sent to tasks", deleteSent(sql`SELECT id FROM messages WHERE ${read}`))
    .add(
      "attachments of tasks",
      sql`DELETE FROM attachments WHERE message_id IN (SELECT id FROM messages WHERE ${read})`,
    )
    .add("messages of tasks", sql`DELETE FROM messages WHERE ${read}`)
    .add("turns", sql`DELETE FROM turns WHERE task_id IN ${ids}`)
    .add("calls", sql`DELETE FROM calls WHERE task_id IN ${ids}`)
    .add("events", sql`DELETE FROM events WHERE task_id IN ${ids}`)
    .add("artifacts", sql`DELETE FROM artifacts WHERE task_id IN ${ids}`)
    .add("reservations", sql`DELETE FROM reservations WHERE task_id IN ${ids}`)
    .add("tasks", sql`DELETE FROM tasks WHERE id IN ${ids}`);
  addDeleteReplies(batch.within("of tasks"), taskIds);
  const requests = sql`(SELECT id FROM approvals WHERE task_id IN ${ids})`;
  deleteReplies(batch.within("of requests"), requests).add(
    "approvals",
    sql`DELETE FROM approvals WHERE task_id IN ${ids}`,
  );
}

/** What these messages came with, wherever it lies in the workspace by now. @param messages SQL for a set of ids. */
export const deleteSent = (messages: Sql): Sql =>
  sql`DELETE FROM workspace_files WHERE message_id IN (${messages})`;

/** Replies, with what shows them and their doorbells. */
export function addDeleteReplies(batch: Batch, replyIds: readonly string[]): void {
  deleteReplies(batch, listed(replyIds));
}

/** @param ids SQL for a set of ids. */
function deleteReplies(batch: Batch, ids: Sql): Batch {
  return batch
    .add("deliveries", sql`DELETE FROM deliveries WHERE reply_id IN ${ids}`)
    .add("replies", sql`DELETE FROM replies WHERE id IN ${ids}`)
    .add("doorbells", sql`DELETE FROM outbox WHERE queue = 'replies' AND key IN ${ids}`);
}

/** Of these conversations those that nothing is left of, and nobody is to be answered in. */
export function addDropConversations(batch: Batch, conversationIds: readonly string[]): void {
  const ids = listed(conversationIds);
  const isGone = sql`NOT EXISTS (SELECT 1 FROM conversations c WHERE c.id = conversation_id)`;
  const isSilent = sql`NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = conversations.id)`;
  batch
    .add(
      "conversations",
      sql`DELETE FROM conversations WHERE id IN ${ids} AND ${isSilent}
        AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.conversation_id = conversations.id)
        AND NOT EXISTS (SELECT 1 FROM inbound i WHERE i.conversation_id = conversations.id AND i.state = 'new')
        AND id NOT IN (SELECT r.conversation_id FROM outbox o JOIN replies r ON r.id = o.key WHERE o.queue = 'replies')`,
    )
    .add("workspaces", sql`DELETE FROM workspaces WHERE conversation_id IN ${ids} AND ${isGone}`)
    .add("files", sql`DELETE FROM workspace_files WHERE conversation_id IN ${ids} AND ${isGone}`)
    // Numbers of messages that are gone may be given again: what comes then is not forgotten.
    .add(
      "numbers",
      sql`UPDATE conversations SET forgotten_seq = 0 WHERE id IN ${ids} AND forgotten_seq > 0 AND ${isSilent}`,
    );
}
