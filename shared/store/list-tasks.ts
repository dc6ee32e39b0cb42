/** Tasks as people list them: over the API, and in a chat. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { TaskState } from "../contracts/task.ts";
import { LIMITS } from "../limits.ts";
import { Batch, select } from "./batch.ts";
import { type Found, found, readList, type Unauthorized } from "./outcome.ts";
import { findKey, selectTenant } from "./statements/guards.ts";

const ListedTask = z.object({
  seq: z.int(),
  id: z.string(),
  state: TaskState,
  created_at: z.int(),
  ended_at: z.nullable(z.int()),
});

export interface TaskPage {
  readonly tasks: readonly z.infer<typeof ListedTask>[];
  /** Where the next page begins; null when there is none. */
  readonly cursor: number | null;
}

/** The tenant's tasks, newest first. A filtered page reads a bounded window and may hold fewer than fit. */
export async function listTasks(
  db: D1Database,
  { keyHash, state, before }: { keyHash: string; state: TaskState | null; before: number | null },
): Promise<Found<TaskPage> | Unauthorized> {
  const rowsMax = state === null ? LIMITS.tasks_page_max : LIMITS.tasks_window_max;
  const results = await new Batch()
    .add("key", findKey(keyHash))
    .add(
      "window",
      sql`SELECT seq, id, state, created_at, ended_at FROM tasks
        WHERE tenant_id = ${selectTenant(keyHash)} AND seq < COALESCE(${before}, 9e15) ORDER BY seq DESC LIMIT ${rowsMax}`,
    )
    .run(db);
  const window = readList(results, "window", ListedTask);
  if (window.kind !== "ok") return window;
  const tasks = window.value
    .filter((task) => state === null || task.state === state)
    .slice(0, LIMITS.tasks_page_max);
  const isFull = tasks.length === LIMITS.tasks_page_max;
  const hasMore = isFull || window.value.length === LIMITS.tasks_window_max;
  const last = (isFull ? tasks : window.value).at(-1);
  return found({ tasks, cursor: hasMore ? (last?.seq ?? null) : null });
}

const RecentTask = z.object({
  id: z.string(),
  state: TaskState,
  created_at: z.int(),
  ended_at: z.nullable(z.int()),
  turns: z.int(),
  prompt: z.nullable(z.string()),
});
export type RecentTask = z.infer<typeof RecentTask>;

/** The newest tasks of a conversation whose ids begin with the prefix, newest first. */
export function recentTasks(
  db: D1Database,
  { conversationId, idPrefix, limit }: { conversationId: string; idPrefix: string; limit: number },
): Promise<RecentTask[]> {
  return select(
    db,
    sql`SELECT t.id, t.state, t.created_at, t.ended_at,
        (SELECT COUNT(*) FROM turns WHERE task_id = t.id AND text IS NOT NULL) AS turns,
        (SELECT json_extract(content, '$.text') FROM messages WHERE id = t.message_id) AS prompt
      FROM tasks t WHERE t.conversation_id = ${conversationId} AND substr(t.id, 1, ${idPrefix.length}) = ${idPrefix}
      ORDER BY t.seq DESC LIMIT ${limit}`,
    RecentTask,
  );
}
