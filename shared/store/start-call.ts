/** Starting a tool call: whether somebody still waits for it is found out before it is made. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { isFinal, TaskState } from "../contracts/task.ts";
import { ToolCall } from "../contracts/tools/index.ts";
import type { CallKey } from "../contracts/turn.ts";
import { Batch, jsonColumn, prepare, select } from "./batch.ts";
import { ACTIVE } from "./statements/guards.ts";
import { heartbeat } from "./statements/heartbeat.ts";

const Row = z.object({
  state: TaskState,
  conversation_id: z.string(),
  deadline_at: z.int(),
  tool: z.string(),
  input: jsonColumn(z.unknown()),
  ok: z.nullable(z.int()),
  started_at: z.nullable(z.int()),
});

export type StartedCall =
  | { kind: "started"; conversationId: string; deadlineAt: number; startedAt: number; made: ToolCall }
  /** Somebody has done it before. */
  | { kind: "done"; ok: boolean }
  /** Nobody waits for it: its task has ended, or was never there. Or it waits for a person. */
  | { kind: "inactive" };

/** Looks at the task and the call, shows it as progress, and keeps the task alive until `until`. */
export async function startCall(
  db: D1Database,
  { taskId, turn, call }: CallKey,
  until: number,
  now: number,
): Promise<StartedCall> {
  const key = sql`task_id = ${taskId} AND turn = ${turn} AND call = ${call}`;
  // What waits for a person is not made before they have approved it, whoever calls.
  const isMade = sql`(gate IS NULL OR EXISTS (SELECT 1 FROM approvals a
    WHERE a.task_id = calls.task_id AND a.turn = calls.turn AND a.call = calls.call AND a.state = 'approved'))`;
  const results = await new Batch()
    .add(
      "event",
      sql`INSERT INTO events (task_id, seq, type, turn, call, at, data)
        SELECT task_id, COALESCE((SELECT MAX(seq) FROM events WHERE task_id = ${taskId}), 0) + 1, 'started', turn, call, ${now},
          json_object('tool', tool)
        FROM calls WHERE ${key} AND started_at IS NULL AND ${isMade}`,
    )
    .add("start", sql`UPDATE calls SET started_at = ${now} WHERE ${key} AND started_at IS NULL AND ${isMade}`)
    // Progress is what is wanted until the answer is: whoever looks at the reply next shows it.
    .add(
      "progress",
      sql`UPDATE replies SET text = 'Step ' || c.turn || ': ' || replace(c.tool, '_', ' '), revision = revision + 1
        FROM calls c WHERE replies.id = ${taskId} AND replies.final = 0
          AND c.task_id = ${taskId} AND c.turn = ${turn} AND c.call = ${call} AND c.ok IS NULL`,
    )
    .add("heartbeat", heartbeat(taskId, until))
    .add(
      "call",
      sql`SELECT t.state, t.conversation_id, t.deadline_at, c.tool, c.input, c.ok, c.started_at
        FROM tasks t JOIN calls c ON c.task_id = t.id WHERE t.id = ${taskId} AND c.turn = ${turn} AND c.call = ${call}`,
    )
    .run(db);
  const row = results.row("call", Row);
  if (row === undefined || isFinal(row.state)) return { kind: "inactive" };
  if (row.ok !== null) return { kind: "done", ok: row.ok === 1 };
  if (row.started_at === null) return { kind: "inactive" };
  const made = ToolCall.parse({ tool: row.tool, input: row.input });
  const { conversation_id: conversationId, deadline_at: deadlineAt, started_at: startedAt } = row;
  return { kind: "started", conversationId, deadlineAt, startedAt, made };
}

/** Shows how far a call is, until its task has an answer. */
export async function showProgress(db: D1Database, taskId: string, text: string): Promise<void> {
  await prepare(
    db,
    sql`UPDATE replies SET text = ${text}, revision = revision + 1 WHERE id = ${taskId} AND final = 0`,
  ).run();
}

/** Whether somebody still waits for what the task does. */
export async function isTaskActive(db: D1Database, taskId: string): Promise<boolean> {
  const rows = await select(
    db,
    sql`SELECT 1 AS active FROM tasks WHERE id = ${taskId} AND ${ACTIVE}`,
    Active,
  );
  return rows.length > 0;
}

const Active = z.object({ active: z.int() });
