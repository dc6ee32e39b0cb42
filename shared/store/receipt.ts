/** One task, whole: state, answer, usage, calls, deliveries and every event, in one round trip. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { ChannelName } from "../contracts/channel.ts";
import { TaskEvent } from "../contracts/event.ts";
import { TaskError, TaskState } from "../contracts/task.ts";
import { Batch, jsonColumn, type Results } from "./batch.ts";
import { found, NOT_FOUND, type Outcome, readOutcome } from "./outcome.ts";
import { Artifacts, artifactsColumn } from "./statements/artifacts.ts";
import { type Caller, findKey, taskVisible } from "./statements/guards.ts";

const Task = z.object({
  id: z.string(),
  state: TaskState,
  conversation_id: z.string(),
  channel: ChannelName,
  created_at: z.int(),
  ended_at: z.nullable(z.int()),
  deadline_at: z.int(),
  text: z.nullable(z.string()),
  reply_state: z.nullable(z.string()),
  reply_reason: z.nullable(z.string()),
  error: z.nullable(jsonColumn(TaskError)),
  artifacts: jsonColumn(Artifacts),
});
const Usage = z.object({
  turns: z.int(),
  tokens_in: z.int(),
  tokens_out: z.int(),
  model_ms: z.int(),
  /** Null: of at least one turn nobody told the price. */
  cost_usd: z.nullable(z.number()),
  container_ms: z.int(),
});
const Call = z.object({
  turn: z.int(),
  call: z.int(),
  tool: z.string(),
  ok: z.nullable(z.int()),
  output: z.nullable(z.string()),
  /** JSON. */
  value: z.nullable(z.string()),
  error: z.nullable(z.string()),
});
const Delivery = z.object({
  part: z.int(),
  state: z.string(),
  external_id: z.nullable(z.string()),
  doubts: z.int(),
});

export interface TaskReceipt {
  readonly task: z.infer<typeof Task>;
  readonly usage: z.infer<typeof Usage>;
  readonly calls: readonly z.infer<typeof Call>[];
  readonly deliveries: readonly z.infer<typeof Delivery>[];
  readonly events: readonly TaskEvent[];
}

/** The task, if it is of the tenant of the key. */
export async function readReceipt(
  db: D1Database,
  { caller, taskId }: { caller: Caller; taskId: string },
): Promise<Outcome<TaskReceipt>> {
  const batch = new Batch()
    .add("key", findKey(caller))
    .add(
      "task",
      sql`SELECT t.id, t.state, t.conversation_id, c.channel, t.created_at, t.ended_at, t.deadline_at,
          CASE r.final WHEN 1 THEN r.text END AS text, r.state AS reply_state, r.reason AS reply_reason, t.error,
          ${artifactsColumn("t.id")} AS artifacts
        FROM tasks t JOIN conversations c ON c.id = t.conversation_id LEFT JOIN replies r ON r.id = t.id
        WHERE t.id = ${taskId} AND ${taskVisible(caller, "t")}`,
    )
    .add(
      "usage",
      sql`SELECT COUNT(*) AS turns, COALESCE(SUM(tokens_in), 0) AS tokens_in, COALESCE(SUM(tokens_out), 0) AS tokens_out,
          COALESCE(SUM(latency_ms), 0) AS model_ms,
          CASE WHEN COUNT(*) = COUNT(cost_usd) THEN COALESCE(SUM(cost_usd), 0) END AS cost_usd,
          (SELECT COALESCE(SUM(container_ms), 0) FROM calls WHERE task_id = ${taskId}) AS container_ms
        FROM turns WHERE task_id = ${taskId} AND text IS NOT NULL`,
    )
    .add(
      "calls",
      sql`SELECT turn, call, tool, ok, output, value, error FROM calls WHERE task_id = ${taskId} ORDER BY turn, call`,
    )
    .add(
      "deliveries",
      sql`SELECT part, state, external_id, doubts FROM deliveries WHERE reply_id = ${taskId} ORDER BY part`,
    );
  // What was said piece by piece is in the answer.
  const results = await addEvents(batch, taskId, sql`type <> 'text'`).run(db);
  const task = readOutcome(results, "task", Task);
  if (task.kind !== "ok") return task;
  const usage = results.row("usage", Usage);
  if (usage === undefined) return NOT_FOUND;
  return found({
    task: task.value,
    usage,
    calls: results.rows("calls", Call),
    deliveries: results.rows("deliveries", Delivery),
    events: readEvents(results),
  });
}

const Following = z.object({ state: TaskState, channel: ChannelName, reply_state: z.nullable(z.string()) });

export interface FollowedTask {
  readonly task: z.infer<typeof Following>;
  readonly events: readonly TaskEvent[];
}

/** What has happened to a task since the event `after`. */
export async function followTask(
  db: D1Database,
  { caller, taskId, after }: { caller: Caller; taskId: string; after: number },
): Promise<Outcome<FollowedTask>> {
  const batch = new Batch().add("key", findKey(caller));
  // Before the task: whoever reads that it is over has read all of them.
  const results = await addEvents(batch, taskId, sql`seq > ${after}`)
    .add(
      "task",
      sql`SELECT t.state, c.channel, r.state AS reply_state
        FROM tasks t JOIN conversations c ON c.id = t.conversation_id LEFT JOIN replies r ON r.id = t.id
        WHERE t.id = ${taskId} AND ${taskVisible(caller, "t")}`,
    )
    .run(db);
  const task = readOutcome(results, "task", Following);
  return task.kind === "ok" ? found({ task: task.value, events: readEvents(results) }) : task;
}

/** The one reader of events. Whose they are is found out by the statement "task" of the same batch. */
function addEvents(batch: Batch, taskId: string, which: Sql): Batch {
  return batch.add(
    "events",
    sql`SELECT json_object('seq', seq, 'type', type, 'turn', turn, 'call', call, 'attempt', attempt, 'at', at, 'data', json(data))
        AS event
      FROM events WHERE task_id = ${taskId} AND ${which} ORDER BY seq`,
  );
}

function readEvents(results: Results): TaskEvent[] {
  return results.rows("events", z.object({ event: jsonColumn(TaskEvent) })).map(({ event }) => event);
}
