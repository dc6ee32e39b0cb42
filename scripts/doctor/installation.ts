/** Whether an installation is there, keeps up, and does a task from end to end. */
import { setTimeout as sleep } from "node:timers/promises";
import { Status, Task, TaskReference } from "../../shared/contracts/api.ts";
import { callApi, type Where } from "../installation/call-api.ts";
import { askHealth } from "../installation/health.ts";
import { examine, fault, type Finding, ok, warn } from "./finding.ts";

/** Two rounds of the clock, which rings once a minute on Cloudflare. */
const CLOCK_LATE_MS = 150_000;
const TASK_MS_MAX = 45_000;
const LOOK_EVERY_MS = 500;
/** It uses every binding: queue, Workflow, planner, runner, files. */
const TASK = { prompt: "/run save('doctor.txt', 'ok'); return 6 * 7" };

export async function examineHealth(url: string, renew: string): Promise<Finding> {
  const health = await askHealth(url, 1);
  if (health.kind === "ok") return ok("address", `${url} answers`);
  if (health.kind === "unreachable")
    return fault(
      "address",
      `nobody answers at ${url} (${health.reason})`,
      `${renew}; a new address takes some minutes`,
    );
  return fault(
    "address",
    `${url}/health answers ${health.reason}`,
    `${renew}; see that nothing stands in front of /health`,
  );
}

/** Queues, clock, dead letters, and versions, as it tells them itself. */
export async function examineStatus(
  where: Where,
  renew: string,
  letters: string,
): Promise<readonly Finding[]> {
  return examine("status", renew, async () => {
    const status = await callApi(Status, { where, method: "GET", path: "/v1/status" });
    const { swept_at, queues, dead_letters } = status;
    const age = swept_at === null ? null : Date.now() - Date.parse(swept_at);
    const late = Object.entries(queues).filter(([, { overdue }]) => overdue > 0);
    return [
      age === null
        ? fault("clock", "it has never rung", `${renew}; a new one takes a minute`)
        : age > CLOCK_LATE_MS
          ? fault("clock", `it has not rung for ${Math.round(age / 60_000)} minutes`, renew)
          : ok("clock", `it rang ${Math.round(age / 1_000)} s ago`),
      ...late.map(([name, { overdue }]) =>
        fault(`queue ${name}`, `${overdue} doorbells are overdue: nobody consumes it`, renew),
      ),
      dead_letters > 0
        ? warn("dead letters", `${dead_letters} were put aside`, letters)
        : ok("dead letters", "none"),
    ];
  });
}

/** One small task, whose code saves a file. It stays in the list of tasks. */
export async function examineTask(where: Where, renew: string): Promise<readonly Finding[]> {
  const check = "a task";
  return examine(check, renew, async () => {
    const { id } = await callApi(TaskReference, { where, method: "POST", path: "/v1/tasks", body: TASK });
    const begun = performance.now();
    for (;;) {
      const task = await callApi(Task, { where, method: "GET", path: `/v1/tasks/${id}` });
      if (task.result !== null) return [readTask(check, task, Math.round(performance.now() - begun), renew)];
      if (performance.now() - begun > TASK_MS_MAX) {
        const last = task.receipt.at(-1)?.event ?? "nothing";
        return [
          fault(
            check,
            `${id} has not ended after ${TASK_MS_MAX / 1_000} s; its last event is "${last}"`,
            renew,
          ),
        ];
      }
      await sleep(LOOK_EVERY_MS);
    }
  });
}

function readTask(check: string, { id, status, result }: Task, tookMs: number, renew: string): Finding {
  const text = result?.text ?? "";
  if (status === "succeeded" && text.includes("42") && result?.artifacts.length === 1)
    return ok(check, `code ran, and its file is kept, in ${tookMs} ms`);
  if (text.includes("Workers Free"))
    return warn(
      check,
      "it went through, but code cannot be run on Workers Free",
      "change the plan to Workers Paid, and deploy again",
    );
  return fault(check, `${id} ended as ${status}: ${text.slice(0, 200)}`, renew);
}
