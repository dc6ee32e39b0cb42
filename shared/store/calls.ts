/** Tool calls under way: looked at before they start, stored by key when they are done. */
import * as z from "zod/mini";
import { TaskState } from "../contracts/task.ts";
import { ToolCall, type Observation } from "../contracts/tool.ts";
import type { StoredFile } from "../contracts/file.ts";
import { insertArtifacts } from "./artifacts.ts";
import { ACTIVE, jsonColumn, rowOf, runBatch } from "./batch.ts";
import { keepAlive } from "./tasks.ts";

const CallRow = z.object({
  state: TaskState,
  conversation_id: z.string(),
  tool: z.string(),
  input: jsonColumn(z.unknown()),
  ok: z.nullable(z.int()),
});

export interface CallKey {
  readonly taskId: string;
  readonly n: number;
  readonly k: number;
}

export interface StartedCall {
  state: TaskState;
  conversationId: string;
  call: ToolCall;
  done: boolean;
}

/** Looks at the task and the call before it is done, shows it as progress, and keeps the task alive until `until`. */
export async function startCall(
  db: D1Database,
  { taskId, n, k }: CallKey,
  { until, now }: { until: number; now: number },
): Promise<StartedCall | undefined> {
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
        `SELECT t.state, t.conversation_id, c.tool, c.input, c.ok FROM tasks t JOIN calls c ON c.task_id = t.id
         WHERE t.id = ?1 AND c.n = ?2 AND c.k = ?3`,
      )
      .bind(taskId, n, k),
  });
  const row = rowOf(results("call"), CallRow);
  if (row === undefined) return undefined;
  const call = ToolCall.parse({ tool: row.tool, input: row.input });
  return { state: row.state, conversationId: row.conversation_id, call, done: row.ok !== null };
}

/** Stores what a call brought, and the files that it made; the first to store it wins. */
export async function storeObservation(
  db: D1Database,
  { taskId, n, k }: CallKey,
  { ok, text, files }: Observation & { files: readonly StoredFile[] },
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
        "UPDATE calls SET ok = ?4, result = ?5 WHERE task_id = ?1 AND n = ?2 AND k = ?3 AND ok IS NULL",
      )
      .bind(taskId, n, k, ok ? 1 : 0, text),
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
