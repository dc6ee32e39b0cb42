/** What a model has said of a turn that is not ended yet: shown as progress, told as events, and proof that it is alive. */
import * as z from "zod/mini";
import { isFinal, TaskState } from "../contracts/task.ts";
import { rowOf, runBatch } from "./batch.ts";
import { keepAlive } from "./tasks.ts";

export interface Narration {
  taskId: string;
  n: number;
  claim: string;
  /** What is new, for the task's events; may be empty. */
  delta: string;
  /** What is to be shown until the answer is there. */
  shown: string;
  until: number;
  now: number;
}

/** Ended: nobody waits for the turn any more; lost: somebody else makes it. */
export type Narrated = { kind: "narrated" } | { kind: "lost" } | { kind: "ended" };

/** Passes it on and renews the claim. */
export async function narrate(db: D1Database, narration: Narration): Promise<Narrated> {
  const { taskId, n, claim, delta, shown, until, now } = narration;
  const mine = "EXISTS (SELECT 1 FROM turns WHERE task_id = ?1 AND n = ?2 AND claim = ?3 AND text IS NULL)";
  const results = await runBatch(db, {
    claim: db
      .prepare(
        `UPDATE turns SET claimed_until = ?4 WHERE task_id = ?1 AND n = ?2 AND claim = ?3 AND text IS NULL`,
      )
      .bind(taskId, n, claim, until),
    shown: db
      .prepare(
        `UPDATE replies SET text = ?4, revision = revision + 1 WHERE id = ?1 AND final = 0 AND ?4 <> '' AND ${mine}`,
      )
      .bind(taskId, n, claim, shown),
    event: db
      .prepare(
        `INSERT INTO events (task_id, key, at, data) SELECT ?1, ?4, ?5, ?6 WHERE ?7 <> '' AND ${mine} ON CONFLICT DO NOTHING`,
      )
      .bind(taskId, n, claim, textKey(n, now), now, textData(n, claim, delta), delta),
    ...keepAlive(db, taskId, until),
    task: db.prepare("SELECT state FROM tasks WHERE id = ?").bind(taskId),
  });
  const task = rowOf(results("task"), z.object({ state: TaskState }));
  if (task === undefined || isFinal(task.state)) return { kind: "ended" };
  return { kind: results("claim").meta.changes === 1 ? "narrated" : "lost" };
}

/** A turn that is asked for again says its text again: as another attempt. */
export const textKey = (n: number, now: number) => `text ${n} at ${now}`;
export const textData = (n: number, claim: string, delta: string) =>
  JSON.stringify({ turn: n, attempt: claim.slice(0, ATTEMPT_CHARS), text: delta });
const ATTEMPT_CHARS = 8;
