/** Cancelling a task over the API: what is unread in its conversation goes with it. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import { TaskState } from "../contracts/task.ts";
import type { Timings } from "../limits.ts";
import { Batch } from "./batch.ts";
import { type NotFound, readOutcome, type Refused } from "./outcome.ts";
import { type Caller, findKey, taskVisible } from "./statements/guards.ts";
import { addStopTask, type Stop } from "./statements/stop-task.ts";

export type CancelledTask =
  | Refused
  | NotFound
  | { kind: "done"; state: TaskState; doorbells: PendingDoorbell[] };

/** A task that has ended stays as it is. */
export async function cancelTask(
  db: D1Database,
  cancel: Pick<Stop, "endedBy" | "text" | "unreadText"> & { caller: Caller; taskId: string },
  now: number,
  timings: Timings,
): Promise<CancelledTask> {
  const { caller, taskId } = cancel;
  const read = await new Batch()
    .add("key", findKey(caller))
    .add(
      "task",
      sql`SELECT conversation_id FROM tasks WHERE id = ${taskId} AND ${taskVisible(caller, "tasks")}`,
    )
    .run(db);
  // Read, but not decided upon: a task's conversation never changes.
  const task = readOutcome(read, "task", z.object({ conversation_id: z.string() }));
  if (task.kind !== "ok") return task;
  const stop = {
    ...cancel,
    conversationId: task.value.conversation_id,
    taskIdPrefix: taskId,
    only: sql`true`,
  };
  const results = await addStopTask(new Batch(), "stop", stop, now, timings)
    .add("state", sql`SELECT state FROM tasks WHERE id = ${taskId}`)
    .run(db);
  const state = results.row("state", z.object({ state: TaskState }))?.state ?? "cancelled";
  return { kind: "done", state, doorbells: results.doorbells() };
}
