/** Looking at tasks whose doorbells rang: the next difference between what a task's row says and what its Workflow does. */
import { timingsOf } from "../../shared/config.ts";
import { isFinal } from "../../shared/contracts/task.ts";
import { reasonOf } from "../../shared/errors.ts";
import type { Timings } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import type { LookAgain } from "../../shared/queue/consume.ts";
import { each } from "../../shared/queue/each.ts";
import { deleteDoorbell } from "../../shared/store/outbox.ts";
import { type LookedTask, lookAtTasks, releaseLook } from "../../shared/store/tasks.ts";
import { end } from "./ending.ts";
import type { Env } from "./env.ts";

const NOTHING_AGAIN: LookAgain = new Map();

/** Instances that are made or looked up at the same time. */
const AT_ONCE_MAX = 20;

/** Looks at tasks: starts what waits, revives what is stranded, ends what is out of time, terminates what was stopped. */
export async function look(env: Env, taskIds: readonly string[]): Promise<LookAgain> {
  const timings = timingsOf(env);
  const { tasks, claimed } = await lookAtTasks(env.DB, taskIds, Date.now(), timings);
  await each(tasks, AT_ONCE_MAX, (task) => lookAtOne(env, task, claimed.has(task.id), timings));
  return NOTHING_AGAIN;
}

async function lookAtOne(env: Env, task: LookedTask, mine: boolean, timings: Timings): Promise<void> {
  const { id, version, state, conversation_id: conversationId } = task;
  if (state === null || conversationId === null || task.deadline_at === null || isFinal(state)) {
    await terminate(env, id);
    await deleteDoorbell(env.DB, "tasks", id, version).run();
    return;
  }
  if (task.deadline_at <= Date.now()) {
    const text = `⏱ It took longer than ${Math.round(timings.task_deadline_ms / 1_000)} s, so I gave it up.`;
    // The end takes the doorbell away: whoever crashes before it is followed by another look.
    await terminate(env, id);
    await end(env, { taskId: id, state: "timed_out", endedBy: "deadline", answer: { text } });
    return;
  }
  if (mine) await bringToLife(env, id, conversationId);
}

/** Makes the task's Workflow run, whatever has become of it. Its turns and calls are stored by key, so nothing is done twice. */
async function bringToLife(env: Env, id: string, conversationId: string): Promise<void> {
  const facts = { stage: "executor" as const, session_id: conversationId, task_id: id };
  try {
    await env.TASK_WORKFLOW.create({ id });
    log("info", { ...facts, effect: "created" });
    return;
  } catch (error) {
    if (!reasonOf(error).includes("already_exists")) {
      // The queue tries again in a moment, and must not find it claimed.
      await releaseLook(env.DB, id);
      throw error;
    }
  }
  // It exists, and nobody has heard of it for longer than its claim: it lives only if it is woken.
  const instance = await env.TASK_WORKFLOW.get(id);
  const { status } = await instance.status();
  log("warn", { ...facts, effect: "revived", status });
  if (status === "running" || status === "waiting") {
    await instance.pause();
    await instance.resume();
  } else if (status === "paused" || status === "waitingForPause") await instance.resume();
  else await instance.restart();
}

async function terminate(env: Env, id: string): Promise<void> {
  try {
    const instance = await env.TASK_WORKFLOW.get(id);
    await instance.terminate();
  } catch (error) {
    // It has ended, or it never began: either way it does nothing more.
    log("info", { stage: "executor", effect: "not terminated", task_id: id, detail: reasonOf(error) });
  }
}
