/** Steering a task: its next turn reads the message, or, if none comes, the next task. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import type { MessageContent } from "../contracts/message.ts";
import { isFinal, TaskState } from "../contracts/task.ts";
import { LIMITS } from "../limits.ts";
import { Batch } from "./batch.ts";
import { type NotFound, readRefusal, type Refused } from "./outcome.ts";
import { ACTIVE, type Caller, findKey, makeKeySender, taskVisible } from "./statements/guards.ts";

export interface Steering {
  readonly caller: Caller;
  readonly taskId: string;
  readonly messageId: string;
  /** The task that the message begins, if this one ends before it reads it. */
  readonly nextTaskId: string;
  readonly content: MessageContent;
}

export type SteeredTask =
  | Refused
  | NotFound
  | { kind: "accepted" }
  | { kind: "different" }
  /** So much is unread in its conversation that it takes no more now. */
  | { kind: "full" }
  | { kind: "ended"; state: TaskState };

export async function steerTask(db: D1Database, steering: Steering, now: number): Promise<SteeredTask> {
  const { caller, taskId, messageId, nextTaskId } = steering;
  const content = JSON.stringify(steering.content);
  const theirs = sql`FROM tasks WHERE id = ${taskId} AND ${taskVisible(caller, "tasks")}`;
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "message",
      sql`INSERT INTO messages (id, conversation_id, content, starts_task_id, units, sender, created_at)
        SELECT ${messageId}, conversation_id, ${content}, ${nextTaskId}, ${content.length}, ${makeKeySender(caller)}, ${now} ${theirs} AND ${ACTIVE} AND (
          SELECT COUNT(*) < ${LIMITS.unread_messages_max} AND COALESCE(SUM(units), 0) + ${content.length} <= ${LIMITS.unread_chars_max}
          FROM messages WHERE conversation_id = tasks.conversation_id AND task_id IS NULL)
        ON CONFLICT DO NOTHING`,
    )
    .add("task", sql`SELECT state ${theirs}`)
    .add(
      "same",
      sql`SELECT m.content = ${content} AS same FROM messages m JOIN tasks t ON t.conversation_id = m.conversation_id
        WHERE m.id = ${messageId} AND t.id = ${taskId}`,
    )
    .run(db);
  const refusal = readRefusal(results);
  if (refusal !== null) return refusal;
  const task = results.row("task", z.object({ state: TaskState }));
  if (task === undefined) return { kind: "not_found" };
  const stored = results.row("same", z.object({ same: z.int() }));
  if (stored === undefined)
    return isFinal(task.state) ? { kind: "ended", state: task.state } : { kind: "full" };
  return { kind: stored.same === 0 ? "different" : "accepted" };
}
