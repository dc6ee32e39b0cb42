/** Reconciling tasks whose doorbells rang: their Workflows are made to do what their rows say. */
import { readTimings } from "../../shared/config.ts";
import { isFinal } from "../../shared/contracts/task.ts";
import { describeError } from "../../shared/errors.ts";
import { LIMITS, type Timings } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import type { ReconcileAgain } from "../../shared/queue/consume.ts";
import { concurrently } from "../../shared/queue/concurrently.ts";
import { claimTasks, dropTaskDoorbell, releaseTask, type RungTask } from "../../shared/store/claim-tasks.ts";
import { dropApprovals, expireApprovals, markWoken, pauseWaiting } from "../../shared/store/approvals.ts";
import { parkAndTell } from "../../shared/store/park.ts";
import { loseReservations } from "../../shared/store/reserve.ts";
import { reviveTask } from "../../shared/store/revive-task.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { end } from "./end.ts";
import { getBells, type Env } from "./env.ts";

const NOTHING_AGAIN: ReconcileAgain = new Map();

/** Instances that are made or looked up at the same time. */
const AT_ONCE_MAX = 20;

/** Starts what waits, revives what is stranded, ends what is out of time, terminates what was stopped. */
export async function reconcile(env: Env, taskIds: readonly string[]): Promise<ReconcileAgain> {
  const timings = readTimings(env);
  const { tasks, claimed } = await claimTasks(env.DB, taskIds, Date.now(), timings);
  await concurrently(tasks, AT_ONCE_MAX, (task) => reconcileOne(env, task, claimed.has(task.id), timings));
  return NOTHING_AGAIN;
}

async function reconcileOne(env: Env, task: RungTask, isMine: boolean, timings: Timings): Promise<void> {
  const { id, version, state, conversation_id: conversationId } = task;
  if (state === null || conversationId === null || task.deadline_at === null || isFinal(state)) {
    await stopWork(env, task, timings);
    await dropTaskDoorbell(env.DB, id, version);
    return;
  }
  if (task.decided.length > 0 && (await wake(env, task))) return;
  if (state === "waiting") return wait(env, task, timings);
  if (task.deadline_at <= Date.now()) {
    const message = `It took longer than ${Math.round(timings.task_deadline_ms / 1_000)} s, so I gave it up.`;
    // The end takes the doorbell away: whoever crashes before it is followed by somebody else.
    await stopWork(env, task, timings);
    const error = { code: "timed_out" as const, message };
    const answer = { text: `⏱ ${message}` };
    await end(env, { taskId: id, state: "timed_out", endedBy: "deadline", error, answer });
    return;
  }
  if (isMine) await revive(env, id, conversationId);
}

/** Whatever was at work for a task does nothing more, and nobody is asked for it. */
async function stopWork(env: Env, { id, asked, conversation_id }: RungTask, timings: Timings): Promise<void> {
  await terminate(env, id);
  if (conversation_id !== null) await cancelJob(env, conversation_id, id);
  if (asked > 0) await drop(env, id, timings);
  // A model that was asked for it was hung up on.
  await loseReservations(env.DB, { taskId: id });
}

const EXPIRED = {
  call: "⌛ **Nobody decided in time**, so it was not done.",
  spending: "⌛ **Nobody decided in time**, so no more was allowed.",
};
const DROPPED = "⏹ **It is over**: the task has ended, so nobody needs to decide this.";

/** What a task that has ended leaves open is nobody's to decide any more. */
async function drop(env: Env, id: string, timings: Timings): Promise<void> {
  await ring(getBells(env), await dropApprovals(env.DB, id, DROPPED, Date.now(), timings), "executor");
}

/** Tells the Workflow that something was decided. If it is not there to hear, it is revived as any other, and reads it. */
async function wake(env: Env, { id, decided }: RungTask): Promise<boolean> {
  try {
    const instance = await env.TASK_WORKFLOW.get(id);
    for (const type of decided) await instance.sendEvent({ type, payload: {} });
  } catch (error) {
    log("warn", { stage: "executor", effect: "not woken", task_id: id, detail: describeError(error) });
    return false;
  }
  await markWoken(env.DB, decided, Date.now());
  log("info", { stage: "executor", effect: "woken", task_id: id });
  return true;
}

/** A task that waits for a person is never revived. What nobody decides in time is decided now, and rings it again. */
async function wait(env: Env, { id, version }: RungTask, timings: Timings): Promise<void> {
  const doorbells = await expireApprovals(env.DB, id, EXPIRED, Date.now(), timings);
  await pauseWaiting(env.DB, { taskId: id, version }, Date.now(), timings);
  await ring(getBells(env), doorbells, "executor");
}

/** Makes the task's Workflow run, whatever has become of it. Its turns and calls are stored by key, so nothing is done twice. */
async function revive(env: Env, id: string, conversationId: string): Promise<void> {
  const facts = { stage: "executor" as const, session_id: conversationId, task_id: id };
  try {
    await env.TASK_WORKFLOW.create({ id });
    log("info", { ...facts, effect: "created" });
    return;
  } catch (error) {
    if (!describeError(error).includes("already_exists")) {
      // The queue tries again in a moment, and must not find it claimed.
      await releaseTask(env.DB, id);
      throw error;
    }
  }
  // It exists, and nobody has heard of it for longer than its claim: it lives only if it is woken.
  const instance = await env.TASK_WORKFLOW.get(id);
  const { status } = await instance.status();
  const revived = await reviveTask(env.DB, { taskId: id, status }, Date.now());
  if (revived.kind === "stuck") {
    await drop(env, id, readTimings(env));
    return giveUp(env, id);
  }
  log("warn", { ...facts, effect: "revived", status, nth: revived.nth });
  if (status === "running" || status === "waiting") {
    await instance.pause();
    await instance.resume();
  } else if (status === "paused" || status === "waitingForPause") await instance.resume();
  else await instance.restart();
}

const STUCK = `revived ${LIMITS.revivals_max} times without a step forward`;

/** It comes no further, whatever the cause: said, put aside for somebody to look at, and out of the way of what waits behind it. */
async function giveUp(env: Env, id: string): Promise<void> {
  await terminate(env, id);
  const text = `⚠️ I came no further with this, though I began again ${LIMITS.revivals_max} times, so I gave it up. Reference: \`${id}\``;
  const letter = { queue: "tasks" as const, key: id };
  const { doorbells } = await parkAndTell(
    env.DB,
    letter,
    { reason: STUCK, text },
    Date.now(),
    readTimings(env),
  );
  log("error", { stage: "executor", effect: "parked", task_id: id, detail: STUCK });
  await ring(getBells(env), doorbells, "executor");
}

/** A job in a container goes on when nobody follows it. Should its hand not hear, it ends by its own clock. */
async function cancelJob({ HANDS: hands }: Env, conversationId: string, taskId: string): Promise<void> {
  await hands?.cancel(conversationId, taskId).catch((error: unknown) => {
    log("warn", {
      stage: "executor",
      effect: "not cancelled",
      task_id: taskId,
      detail: describeError(error),
    });
  });
}

async function terminate(env: Env, id: string): Promise<void> {
  try {
    const instance = await env.TASK_WORKFLOW.get(id);
    await instance.terminate();
  } catch (error) {
    // It has ended, or it never began: either way it does nothing more.
    log("info", { stage: "executor", effect: "not terminated", task_id: id, detail: describeError(error) });
  }
}
