/** Tasks as people list them: over the API, and in a chat. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { TaskState } from "../contracts/task.ts";
import { LIMITS } from "../limits.ts";
import { Batch, select } from "./batch.ts";
import { type Found, found, readList, type Refused } from "./outcome.ts";
import { type Caller, findKey, selectTenant, taskVisible } from "./statements/guards.ts";

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

const Window = z.object({ rows: z.int(), last: z.nullable(z.int()) });

/** The tasks that the caller may see, newest first. A page is looked for in a bounded window, and may hold fewer than fit. */
export async function listTasks(
  db: D1Database,
  { caller, state, before }: { caller: Caller; state: TaskState | null; before: number | null },
): Promise<Found<TaskPage> | Refused> {
  const { tasks_page_max: pageMax, tasks_window_max: rowsMax } = LIMITS;
  const window = sql`FROM tasks WHERE tenant_id = ${selectTenant(caller)} AND seq < COALESCE(${before}, 9e15)
    ORDER BY seq DESC LIMIT ${rowsMax}`;
  const results = await new Batch()
    .add("key", findKey(caller))
    .add("window", sql`SELECT COUNT(*) AS rows, MIN(seq) AS last FROM (SELECT seq ${window})`)
    .add(
      "tasks",
      sql`SELECT seq, id, state, created_at, ended_at
        FROM (SELECT *, ${taskVisible(caller, "tasks")} AS visible ${window})
        WHERE visible AND (${state} IS NULL OR state = ${state}) ORDER BY seq DESC LIMIT ${pageMax}`,
    )
    .run(db);
  const listed = readList(results, "tasks", ListedTask);
  if (listed.kind !== "ok") return listed;
  const tasks = listed.value;
  const read = results.row("window", Window);
  const hasMore = tasks.length === pageMax || read?.rows === rowsMax;
  const last = tasks.length === pageMax ? tasks.at(-1)?.seq : read?.last;
  return found({ tasks, cursor: hasMore ? (last ?? null) : null });
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
