/**
 * The end of a task: done, given up, out of time. Whoever ends it writes the answer, and in the same batch starts what is still
 * unread. Of several that try, one wins: the others see that `ended_by` is not theirs.
 */
import sql, { type Sql } from "sql-template-tag";
import type { FinalState, TaskError } from "../../contracts/task.ts";
import type { Timings } from "../../limits.ts";
import type { Batch } from "../batch.ts";
import { appendEvent, NOWHERE } from "./events.ts";
import { ringAgain } from "./doorbells.ts";
import { ACTIVE, taskActive, taskEndedBy } from "./guards.ts";
import { addStartTasks, selectConversationOf } from "./start-tasks.ts";

export interface TaskEnd {
  readonly taskId: string;
  readonly state: FinalState;
  /** Who ends it: the same name may try again and finds its own work done. */
  readonly endedBy: string;
  /** Why, where it failed. */
  readonly error: TaskError | null;
  /** The answer's words, or the turn whose text it is. */
  readonly answer: { readonly text: string } | { readonly turn: number };
}

/** Adds everything that an end is; "ended" answers whether this is the end that it has. */
export function addEndTask(batch: Batch, end: TaskEnd, now: number, timings: Timings): Batch {
  const { taskId, state, endedBy, answer } = end;
  const mine = taskEndedBy(taskId, endedBy);
  const reason = "text" in answer ? answer.text : null;
  const ended = { type: "ended" as const, ...NOWHERE, data: { state, by: endedBy, reason } };
  batch
    .add("event", appendEvent(taskId, ended, now, taskActive(taskId)))
    .add("end", endTask(end, now, sql`true`))
    // The message that began it has its outcome now, even if no turn came to read it.
    .add(
      "began-with",
      sql`UPDATE messages SET task_id = ${taskId}
        WHERE id = (SELECT message_id FROM tasks WHERE id = ${taskId}) AND task_id IS NULL AND ${mine}`,
    );
  return addAnswer(batch, end, now, timings).add(
    "ended",
    sql`SELECT conversation_id, COALESCE(ended_by = ${endedBy}, 0) AS by_me FROM tasks WHERE id = ${taskId}`,
  );
}

/** Ends it, while it is active and `guard` holds. */
export function endTask(
  { taskId, state, endedBy, error }: Omit<TaskEnd, "answer">,
  now: number,
  guard: Sql,
): Sql {
  const why = error && JSON.stringify(error);
  return sql`UPDATE tasks SET state = ${state}, ended_by = ${endedBy}, error = ${why}, ended_at = ${now}
    WHERE id = ${taskId} AND ${ACTIVE} AND ${guard}`;
}

/** Adds what follows from an end: the answer, its doorbell instead of the task's, and the next task. */
export function addAnswer(
  batch: Batch,
  { taskId, endedBy, answer }: Pick<TaskEnd, "taskId" | "endedBy" | "answer">,
  now: number,
  timings: Timings,
): Batch {
  const mine = taskEndedBy(taskId, endedBy);
  const text =
    "text" in answer
      ? sql`${answer.text}`
      : sql`(SELECT text FROM turns WHERE task_id = ${taskId} AND turn = ${answer.turn})`;
  const ringAt = now + timings.doorbell_grace_ms;
  batch
    .add(
      "answer",
      sql`UPDATE replies SET final = 1, revision = revision + 1, text = ${text} WHERE id = ${taskId} AND final = 0 AND ${mine}`,
    )
    .add(
      "done",
      sql`DELETE FROM outbox WHERE queue = 'tasks' AND key = ${taskId} AND parked_reason IS NULL AND ${mine}`,
    )
    .addRinging(
      "ring",
      sql`INSERT INTO outbox (queue, key, ring_at)
        SELECT 'replies', r.id, ${ringAt} FROM replies r JOIN conversations c ON c.id = r.conversation_id
        WHERE r.id = ${taskId} AND r.state = 'open' AND c.channel <> 'api' AND ${mine}
        ${ringAgain(ringAt)}`,
    );
  return addStartTasks(batch, selectConversationOf(taskId), now, timings);
}
