/** One task, whole: state, answer, usage, calls, deliveries and every event, in one round trip. */
import * as z from "zod/mini";
import { ChannelName } from "../contracts/channel.ts";
import { TaskState } from "../contracts/task.ts";
import { Artifacts, artifactsOf } from "./artifacts.ts";
import { jsonColumn, rowOf, rowsOf, runBatch } from "./batch.ts";
import { found, NOT_FOUND, type Outcome, outcomeOf } from "./outcome.ts";

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
  artifacts: jsonColumn(Artifacts),
});
const Usage = z.object({
  turns: z.int(),
  tokens_in: z.int(),
  tokens_out: z.int(),
  model_ms: z.int(),
  /** Null: of at least one turn nobody told the price. */
  cost_usd: z.nullable(z.number()),
});
const Call = z.object({
  n: z.int(),
  k: z.int(),
  tool: z.string(),
  ok: z.nullable(z.int()),
  result: z.nullable(z.string()),
});
const Delivery = z.object({
  part: z.int(),
  state: z.string(),
  external_id: z.nullable(z.string()),
  doubts: z.int(),
});
const Event = z.object({
  seq: z.int(),
  key: z.string(),
  at: z.int(),
  data: z.nullable(jsonColumn(z.unknown())),
});

export interface TaskReceipt {
  task: z.infer<typeof Task>;
  usage: z.infer<typeof Usage>;
  calls: z.infer<typeof Call>[];
  deliveries: z.infer<typeof Delivery>[];
  events: z.infer<typeof Event>[];
}

export async function readReceipt(
  db: D1Database,
  { keyHash, taskId }: { keyHash: string; taskId: string },
): Promise<Outcome<TaskReceipt>> {
  const results = await runBatch(db, {
    key: db.prepare("SELECT tenant_id FROM api_keys WHERE hash = ?").bind(keyHash),
    task: db
      .prepare(
        `SELECT t.id, t.state, t.conversation_id, c.channel, t.created_at, t.ended_at, t.deadline_at,
           CASE r.final WHEN 1 THEN r.text END AS text, r.state AS reply_state, r.reason AS reply_reason,
           ${artifactsOf("t.id")} AS artifacts
         FROM tasks t JOIN conversations c ON c.id = t.conversation_id LEFT JOIN replies r ON r.id = t.id
         WHERE t.id = ?2 AND t.tenant_id = (SELECT tenant_id FROM api_keys WHERE hash = ?1)`,
      )
      .bind(keyHash, taskId),
    usage: db
      .prepare(
        `SELECT COUNT(*) AS turns, COALESCE(SUM(tokens_in), 0) AS tokens_in, COALESCE(SUM(tokens_out), 0) AS tokens_out,
           COALESCE(SUM(latency_ms), 0) AS model_ms,
           CASE WHEN COUNT(*) = COUNT(cost_usd) THEN COALESCE(SUM(cost_usd), 0) END AS cost_usd FROM turns WHERE task_id = ? AND text IS NOT NULL`,
      )
      .bind(taskId),
    calls: db
      .prepare("SELECT n, k, tool, ok, result FROM calls WHERE task_id = ? ORDER BY n, k")
      .bind(taskId),
    deliveries: db
      .prepare("SELECT part, state, external_id, doubts FROM deliveries WHERE reply_id = ? ORDER BY part")
      .bind(taskId),
    // What was said piece by piece is in the answer.
    events: db
      .prepare(
        "SELECT seq, key, at, data FROM events WHERE task_id = ? AND key NOT GLOB 'text *' ORDER BY seq",
      )
      .bind(taskId),
  });
  const task = outcomeOf(results("key"), results("task"), Task);
  if (task.kind !== "ok") return task;
  const usage = rowOf(results("usage"), Usage);
  if (usage === undefined) return NOT_FOUND;
  return found({
    task: task.value,
    usage,
    calls: rowsOf(results("calls"), Call),
    deliveries: rowsOf(results("deliveries"), Delivery),
    events: rowsOf(results("events"), Event),
  });
}

const Following = z.object({ state: TaskState, channel: ChannelName, reply_state: z.nullable(z.string()) });

export interface FollowedTask {
  task: z.infer<typeof Following>;
  events: z.infer<typeof Event>[];
}

/** What has happened to a task since the event `after`. */
export async function followTask(
  db: D1Database,
  { keyHash, taskId, after }: { keyHash: string; taskId: string; after: number },
): Promise<Outcome<FollowedTask>> {
  const results = await runBatch(db, {
    key: db.prepare("SELECT tenant_id FROM api_keys WHERE hash = ?").bind(keyHash),
    events: db
      .prepare(
        `SELECT e.seq, e.key, e.at, e.data FROM events e JOIN tasks t ON t.id = e.task_id
         WHERE e.task_id = ?2 AND e.seq > ?3 AND t.tenant_id = (SELECT tenant_id FROM api_keys WHERE hash = ?1)
         ORDER BY e.seq`,
      )
      .bind(keyHash, taskId, after),
    // After the events: whoever reads that it is over has read all of them.
    task: db
      .prepare(
        `SELECT t.state, c.channel, r.state AS reply_state
         FROM tasks t JOIN conversations c ON c.id = t.conversation_id LEFT JOIN replies r ON r.id = t.id
         WHERE t.id = ?2 AND t.tenant_id = (SELECT tenant_id FROM api_keys WHERE hash = ?1)`,
      )
      .bind(keyHash, taskId),
  });
  const task = outcomeOf(results("key"), results("task"), Following);
  return task.kind === "ok" ? found({ task: task.value, events: rowsOf(results("events"), Event) }) : task;
}
