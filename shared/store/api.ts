/**
 * What a program may do, in one round trip each. Every statement is scoped to the tenant of the key whose hash it names,
 * so an unknown key reads nothing and writes nothing.
 */
import * as z from "zod/mini";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { MessageContent } from "../contracts/message.ts";
import { TaskState } from "../contracts/task.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { ACTIVE, rowOf, rowsOf, runBatch } from "./batch.ts";
import { stopStatements } from "./end.ts";
import { doorbellsOf } from "./outbox.ts";
import type { NotFound, Unauthorized } from "./outcome.ts";
import { conversationsIn, startStatements } from "./start.ts";

const TENANT = "(SELECT tenant_id FROM api_keys WHERE hash = ?1)";

const Found = z.object({ tenant_id: z.string() });

function knownKey(db: D1Database, keyHash: string): D1PreparedStatement {
  return db.prepare("SELECT tenant_id FROM api_keys WHERE hash = ?").bind(keyHash);
}

export interface NewTask {
  keyHash: string;
  tenantId: string;
  taskId: string;
  messageId: string;
  conversationId: string;
  address: string;
  content: MessageContent;
}

export type Created =
  | Unauthorized
  | { kind: "created"; doorbells: PendingDoorbell[] }
  | { kind: "different" }
  | { kind: "busy"; activeTaskId: string };

/** Accepts a task: conversation, message, task and doorbell. The same ids again change nothing and get the same answer. */
export async function createTask(
  db: D1Database,
  task: NewTask,
  now: number,
  timings: Timings,
): Promise<Created> {
  const { keyHash, tenantId, taskId, messageId, conversationId } = task;
  const content = JSON.stringify(task.content);
  const results = await runBatch(db, {
    key: knownKey(db, keyHash),
    conversation: db
      .prepare(
        `INSERT INTO conversations (id, tenant_id, channel, address, created_at)
         SELECT ?3, tenant_id, 'api', ?4, ?5 FROM api_keys WHERE hash = ?1 AND tenant_id = ?2 ON CONFLICT DO NOTHING`,
      )
      .bind(keyHash, tenantId, conversationId, task.address, now),
    message: db
      .prepare(
        `INSERT INTO messages (id, conversation_id, content, created_at)
         SELECT ?3, ?4, ?5, ?6 FROM api_keys WHERE hash = ?1 AND tenant_id = ?2
           AND NOT EXISTS (SELECT 1 FROM tasks WHERE conversation_id = ?4 AND ${ACTIVE})
         ON CONFLICT DO NOTHING`,
      )
      .bind(keyHash, tenantId, messageId, conversationId, content, now),
    ...startStatements(db, conversationsIn([conversationId]), now, timings),
    same: db
      .prepare("SELECT content = ?2 AND conversation_id = ?3 AS same FROM messages WHERE id = ?1")
      .bind(messageId, content, conversationId),
    active: db.prepare(`SELECT id FROM tasks WHERE conversation_id = ? AND ${ACTIVE}`).bind(conversationId),
  });
  if (rowOf(results("key"), Found)?.tenant_id !== tenantId) return { kind: "unauthorized" };
  const stored = rowOf(results("same"), z.object({ same: z.int() }));
  if (stored === undefined) {
    const active = rowOf(results("active"), z.object({ id: z.string() }));
    return { kind: "busy", activeTaskId: active?.id ?? taskId };
  }
  if (stored.same === 0) return { kind: "different" };
  return { kind: "created", doorbells: doorbellsOf(results("doorbells")) };
}

export type Steered =
  | Unauthorized
  | { kind: "accepted" }
  | { kind: "different" }
  | NotFound
  | { kind: "ended"; state: TaskState };

/** Adds a message to an active task's conversation: its next turn reads it, or, if none comes, the next task. */
export async function steerTask(
  db: D1Database,
  message: { keyHash: string; taskId: string; messageId: string; content: MessageContent },
  now: number,
): Promise<Steered> {
  const { keyHash, taskId, messageId } = message;
  const content = JSON.stringify(message.content);
  const results = await runBatch(db, {
    key: knownKey(db, keyHash),
    message: db
      .prepare(
        `INSERT INTO messages (id, conversation_id, content, created_at)
         SELECT ?3, conversation_id, ?4, ?5 FROM tasks WHERE id = ?2 AND tenant_id = ${TENANT} AND ${ACTIVE}
         ON CONFLICT DO NOTHING`,
      )
      .bind(keyHash, taskId, messageId, content, now),
    task: db.prepare(`SELECT state FROM tasks WHERE id = ?2 AND tenant_id = ${TENANT}`).bind(keyHash, taskId),
    same: db
      .prepare(
        `SELECT m.content = ?3 AS same FROM messages m JOIN tasks t ON t.conversation_id = m.conversation_id
         WHERE m.id = ?1 AND t.id = ?2`,
      )
      .bind(messageId, taskId, content),
  });
  if (rowOf(results("key"), Found) === undefined) return { kind: "unauthorized" };
  const task = rowOf(results("task"), z.object({ state: TaskState }));
  if (task === undefined) return { kind: "not_found" };
  const stored = rowOf(results("same"), z.object({ same: z.int() }));
  if (stored === undefined) return { kind: "ended", state: task.state };
  return stored.same === 0 ? { kind: "different" } : { kind: "accepted" };
}

export type Cancelled =
  | Unauthorized
  | NotFound
  | { kind: "done"; state: TaskState; doorbells: PendingDoorbell[] };

/** Stops a task and takes its conversation's unread messages with it. A task that has ended stays as it is. */
export async function cancelTask(
  db: D1Database,
  cancel: { keyHash: string; taskId: string; endedBy: string; text: string; unreadText: string },
  now: number,
  timings: Timings,
): Promise<Cancelled> {
  const { keyHash, taskId } = cancel;
  const read = await runBatch(db, {
    key: knownKey(db, keyHash),
    task: db
      .prepare(`SELECT conversation_id FROM tasks WHERE id = ?2 AND tenant_id = ${TENANT}`)
      .bind(keyHash, taskId),
  });
  if (rowOf(read("key"), Found) === undefined) return { kind: "unauthorized" };
  // Read, but not decided upon: a task's conversation never changes.
  const task = rowOf(read("task"), z.object({ conversation_id: z.string() }));
  if (task === undefined) return { kind: "not_found" };
  const stop = { ...cancel, conversationId: task.conversation_id, taskIdPrefix: taskId, inboundId: null };
  const results = await runBatch(db, {
    ...stopStatements(db, stop, now, timings),
    task: db.prepare("SELECT state FROM tasks WHERE id = ?").bind(taskId),
  });
  const state = rowOf(results("task"), z.object({ state: TaskState }))?.state ?? "cancelled";
  return { kind: "done", state, doorbells: doorbellsOf(results("ringStopped")) };
}

const TaskRow = z.object({
  seq: z.int(),
  id: z.string(),
  state: TaskState,
  created_at: z.int(),
  ended_at: z.nullable(z.int()),
});
type TaskRow = z.infer<typeof TaskRow>;

export type TaskPage = Unauthorized | { kind: "page"; tasks: TaskRow[]; cursor: number | null };

/** The tenant's tasks, newest first. A filtered page reads a bounded window and may hold fewer than fit. */
export async function listTasks(
  db: D1Database,
  { keyHash, state, before }: { keyHash: string; state: TaskState | null; before: number | null },
): Promise<TaskPage> {
  const results = await runBatch(db, {
    key: knownKey(db, keyHash),
    window: db
      .prepare(
        `SELECT seq, id, state, created_at, ended_at FROM tasks
         WHERE tenant_id = ${TENANT} AND seq < COALESCE(?2, 9e15) ORDER BY seq DESC LIMIT ?3`,
      )
      .bind(keyHash, before, state === null ? LIMITS.tasks_page_max : LIMITS.tasks_window_max),
  });
  if (rowOf(results("key"), Found) === undefined) return { kind: "unauthorized" };
  const window = rowsOf(results("window"), TaskRow);
  const tasks = window
    .filter((task) => state === null || task.state === state)
    .slice(0, LIMITS.tasks_page_max);
  const full = tasks.length === LIMITS.tasks_page_max;
  const more = full || window.length === LIMITS.tasks_window_max;
  return { kind: "page", tasks, cursor: more ? ((full ? tasks : window).at(-1)?.seq ?? null) : null };
}
