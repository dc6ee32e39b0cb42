/** Tool calls under way: looked at before they start, stored by key when they are done. */
import * as z from "zod/mini";
import { isFinal, TaskState } from "../contracts/task.ts";
import type { Observation } from "../contracts/tool.ts";
import { ToolCall } from "../contracts/tools/index.ts";
import type { StoredFile } from "../contracts/file.ts";
import type { CallKey } from "../contracts/turn.ts";
import { insertArtifacts } from "./artifacts.ts";
import { ACTIVE, jsonColumn, rowOf, runBatch } from "./batch.ts";
import { keepAlive } from "./tasks.ts";

const CallRow = z.object({
  state: TaskState,
  conversation_id: z.string(),
  deadline_at: z.int(),
  tool: z.string(),
  input: jsonColumn(z.unknown()),
  ok: z.nullable(z.int()),
});

export type StartedCall =
  | { kind: "started"; conversationId: string; deadlineAt: number; call: ToolCall }
  /** Somebody has done it before. */
  | { kind: "done"; ok: boolean }
  /** Nobody waits for it: its task has ended, or was never there. */
  | { kind: "inactive" };

/** Looks at the task and the call before it is done, shows it as progress, and keeps the task alive until `until`. */
export async function startCall(
  db: D1Database,
  { taskId, n, k }: CallKey,
  { until, now }: { until: number; now: number },
): Promise<StartedCall> {
  const results = await runBatch(db, {
    ...keepAlive(db, taskId, until),
    // Progress is what is wanted until the answer is: whoever looks at the reply next shows it.
    progress: db
      .prepare(
        `UPDATE replies SET text = 'Step ' || c.n || ': ' || replace(c.tool, '_', ' '), revision = revision + 1 FROM calls c
         WHERE replies.id = ?1 AND replies.final = 0 AND c.task_id = ?1 AND c.n = ?2 AND c.k = ?3 AND c.ok IS NULL`,
      )
      .bind(taskId, n, k),
    event: db
      .prepare(
        `INSERT INTO events (task_id, key, at, data) SELECT ?1, ?4, ?5, json_object('tool', tool)
         FROM calls WHERE task_id = ?1 AND n = ?2 AND k = ?3 ON CONFLICT DO NOTHING`,
      )
      .bind(taskId, n, k, `started ${n}.${k}`, now),
    call: db
      .prepare(
        `SELECT t.state, t.conversation_id, t.deadline_at, c.tool, c.input, c.ok FROM tasks t JOIN calls c ON c.task_id = t.id
         WHERE t.id = ?1 AND c.n = ?2 AND c.k = ?3`,
      )
      .bind(taskId, n, k),
  });
  const row = rowOf(results("call"), CallRow);
  if (row === undefined || isFinal(row.state)) return { kind: "inactive" };
  if (row.ok !== null) return { kind: "done", ok: row.ok === 1 };
  const call = ToolCall.parse({ tool: row.tool, input: row.input });
  return { kind: "started", conversationId: row.conversation_id, deadlineAt: row.deadline_at, call };
}

/** Shows how far a call is, until its task has an answer. */
export async function showProgress(db: D1Database, taskId: string, text: string): Promise<void> {
  await db
    .prepare("UPDATE replies SET text = ?2, revision = revision + 1 WHERE id = ?1 AND final = 0")
    .bind(taskId, text)
    .run();
}

/** Stores what a call brought, and the files that it made; the first to store it wins. */
export async function storeObservation(
  db: D1Database,
  { taskId, n, k }: CallKey,
  { ok, text, images, files }: Observation & { files: readonly StoredFile[] },
  { latencyMs, now }: { latencyMs: number; now: number },
): Promise<void> {
  // A file that came after the end would change the order of those that are being sent.
  const isWanted = `EXISTS (SELECT 1 FROM calls c JOIN tasks t ON t.id = c.task_id
    WHERE c.task_id = ?1 AND c.n = ?2 AND c.k = ?4 AND c.ok IS NULL AND t.${ACTIVE})`;
  await runBatch(db, {
    ...(files.length > 0 && {
      artifacts: insertArtifacts(db, { taskId, n, k, claim: null }, files, isWanted),
    }),
    call: db
      .prepare(
        "UPDATE calls SET ok = ?4, result = ?5, images = ?6 WHERE task_id = ?1 AND n = ?2 AND k = ?3 AND ok IS NULL",
      )
      .bind(taskId, n, k, ok ? 1 : 0, text, JSON.stringify(images)),
    event: db
      .prepare("INSERT INTO events (task_id, key, at, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .bind(
        taskId,
        `observed ${n}.${k}`,
        now,
        JSON.stringify({
          ok,
          latency_ms: latencyMs,
          ...(files.length > 0 && { files: files.map(({ name }) => name) }),
        }),
      ),
  });
}
