/** Ending a task, for whoever in the executor comes to its end: the row, the answer, the doorbells, the log line. */
import { readTimings } from "../../shared/config.ts";
import { log } from "../../shared/log.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { endTask } from "../../shared/store/end-task.ts";
import type { TaskEnd } from "../../shared/store/statements/end-task.ts";
import { getBells, type Env } from "./env.ts";

/** Ends the task and rings the reply, and the next task if something was unread. Done twice, it changes nothing more. */
export async function end(env: Env, ending: TaskEnd): Promise<void> {
  const { taskId, state } = ending;
  const { kind, doorbells, conversationId } = await endTask(env.DB, ending, Date.now(), readTimings(env));
  await ring(getBells(env), doorbells, "executor");
  log(state === "succeeded" ? "info" : "warn", {
    stage: "executor",
    effect: kind === "ended" ? "ended" : "ended already",
    session_id: conversationId,
    task_id: taskId,
    state,
  });
}
