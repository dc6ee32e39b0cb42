/** Submitting a task: conversation, message, task and doorbell in one batch. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { MessageContent } from "../contracts/message.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { Batch } from "./batch.ts";
import { readRefusal, type Refused } from "./outcome.ts";
import { selectOwner } from "./program-files.ts";
import { ACTIVE, type Caller, findKey, isAdmin, makeKeySender, selectTenant } from "./statements/guards.ts";
import { addStartTasks, selectConversations } from "./statements/start-tasks.ts";

export interface NewTask {
  readonly caller: Caller;
  /** Whom the key claims to be of. */
  readonly tenantId: string;
  readonly taskId: string;
  readonly messageId: string;
  readonly conversationId: string;
  /** As JSON. */
  readonly address: string;
  readonly content: MessageContent;
}

export type SubmittedTask =
  | Refused
  | { kind: "submitted"; doorbells: PendingDoorbell[] }
  /** The same ids came before, with another content. */
  | { kind: "different" }
  | { kind: "busy"; activeTaskId: string }
  /** The conversation is another key's. */
  | { kind: "foreign" }
  /** The key has as many tasks under way as it may have. */
  | { kind: "too_many" };

/** The same ids again change nothing and get the same answer. */
export async function submitTask(
  db: D1Database,
  task: NewTask,
  now: number,
  timings: Timings,
): Promise<SubmittedTask> {
  const { caller, tenantId, taskId, messageId, conversationId, address } = task;
  const content = JSON.stringify(task.content);
  // What the key claims to be of, it must be of.
  const known = sql`FROM tenants WHERE id = ${tenantId} AND id = ${selectTenant(caller)}`;
  const sender = makeKeySender(caller);
  const underWay = sql`SELECT COUNT(*) FROM tasks WHERE sender = ${sender} AND ${ACTIVE}`;
  const active = sql`SELECT id FROM tasks WHERE conversation_id = ${conversationId} AND ${ACTIVE}`;
  // What another key has said in a conversation would be told to whoever goes on with it. Whose it is, its first message says.
  const foreign = sql`SELECT 1 FROM (${selectOwner(conversationId)}) WHERE sender <> ${sender} AND NOT ${isAdmin(caller)}`;
  const batch = new Batch()
    .add("key", findKey(caller))
    .add(
      "message",
      sql`INSERT INTO messages (id, conversation_id, content, starts_task_id, units, sender, created_at)
        SELECT ${messageId}, ${conversationId}, ${content}, ${taskId}, ${content.length}, ${sender}, ${now} ${known} AND NOT EXISTS (${active})
          AND NOT EXISTS (${foreign})
          AND (${underWay}) < ${LIMITS.active_tasks_per_key_max}
        ON CONFLICT DO NOTHING`,
    )
    // What was refused leaves none behind.
    .add(
      "conversation",
      sql`INSERT INTO conversations (id, tenant_id, channel, address, created_at)
        SELECT ${conversationId}, id, 'api', ${address}, ${now} ${known} AND EXISTS (SELECT 1 FROM messages WHERE id = ${messageId})
        ON CONFLICT DO NOTHING`,
    );
  const results = await addStartTasks(batch, selectConversations([conversationId]), now, timings)
    .add(
      "same",
      sql`SELECT content = ${content} AND conversation_id = ${conversationId} AS same FROM messages WHERE id = ${messageId}`,
    )
    .add("active", active)
    .add("foreign", foreign)
    .run(db);
  const refusal = readRefusal(results);
  if (refusal !== null) return refusal;
  const key = results.row("key", z.object({ tenant_id: z.string() }));
  if (key?.tenant_id !== tenantId) return { kind: "unauthorized" };
  const stored = results.row("same", z.object({ same: z.int() }));
  if (stored === undefined) {
    if (results.has("foreign")) return { kind: "foreign" };
    const running = results.row("active", z.object({ id: z.string() }));
    return running === undefined ? { kind: "too_many" } : { kind: "busy", activeTaskId: running.id };
  }
  return stored.same === 0 ? { kind: "different" } : { kind: "submitted", doorbells: results.doorbells() };
}
