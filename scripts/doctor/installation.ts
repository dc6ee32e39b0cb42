/** Whether an installation is there, keeps up, and does a task from end to end. */
import { setTimeout as sleep } from "node:timers/promises";
import { Status, Task, TaskReference } from "../../shared/contracts/api.ts";
import { TIMINGS } from "../../shared/limits.ts";
import { callApi, type Where } from "../installation/call-api.ts";
import type { Settings } from "../installation/settings.ts";
import { hasHands } from "../installation/hands.ts";
import { askHealth } from "../installation/health.ts";
import { examine, fault, type Finding, ok, warn } from "./finding.ts";

/** Two rounds of the clock, which rings once a minute on Cloudflare. */
const { clock_late_ms: CLOCK_LATE_MS } = TIMINGS;
/** By these somebody is told. */
const SINKS = ["ERRAND_ALERT_CHAT", "ERRAND_ALERT_URL", "ERRAND_ERROR_DSN"];
const TASK_MS_MAX = 45_000;
const LOOK_EVERY_MS = 500;
const CONTAINER_TASK = { prompt: "/sh true" };
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
    const { queues, dead_letters, untold_alerts } = status;
    const late = Object.entries(queues).filter(([, { overdue }]) => overdue > 0);
    return [
      readClock("clock", status.swept_at, renew),
      readClock("clock of the watch", status.watched_at, renew),
      ...late.map(([name, { overdue }]) =>
        fault(`queue ${name}`, `${overdue} doorbells are overdue: nobody consumes it`, renew),
      ),
      ...(untold_alerts > 0
        ? [
            warn(
              "alerts told",
              `${untold_alerts} of a day were taken by nobody`,
              'see that ERRAND_ALERT_CHAT, ERRAND_ALERT_URL and ERRAND_ERROR_DSN lead where you think; the log says "given up", and why',
            ),
          ]
        : []),
      dead_letters > 0
        ? warn("dead letters", `${dead_letters} were put aside`, letters)
        : ok("dead letters", "none"),
    ];
  });
}

function readClock(check: string, rungAt: string | null, renew: string): Finding {
  if (rungAt === null) return fault(check, "it has never rung", `${renew}; a new one takes a minute`);
  const ageMs = Date.now() - Date.parse(rungAt);
  return ageMs > CLOCK_LATE_MS
    ? fault(check, `it has not rung for ${Math.round(ageMs / 60_000)} minutes`, renew)
    : ok(check, `it rang ${Math.round(ageMs / 1_000)} s ago`);
}

/** Who is told of what goes wrong later. Nobody need be. */
export function examineSinks(settings: Settings): Finding {
  const configured = SINKS.filter((name) => settings[name] !== undefined);
  return configured.length > 0
    ? ok("alerts", `they are told by ${configured.join(", ")}`)
    : ok("alerts", `nobody is told: set ${SINKS.join(", or ")} (docs/operations.md)`);
}

/** One small task, whose code saves a file. It stays in the list of tasks. */
export function examineTask(where: Where, renew: string): Promise<readonly Finding[]> {
  return tryTask(where, renew, { check: "a task", body: TASK, read: readTask });
}

/** One small script in a container, where they are chosen. */
export async function examineContainers(
  where: Where,
  settings: Settings,
  renew: string,
): Promise<readonly Finding[]> {
  if (!hasHands(settings)) return [];
  return tryTask(where, renew, { check: "a container", body: CONTAINER_TASK, read: readContainerTask });
}

interface Trial {
  readonly check: string;
  readonly body: unknown;
  readonly read: (check: string, task: Task, tookMs: number, renew: string) => Finding;
}

function tryTask(where: Where, renew: string, { check, body, read }: Trial): Promise<readonly Finding[]> {
  return examine(check, renew, async () => {
    const { id } = await callApi(TaskReference, { where, method: "POST", path: "/v1/tasks", body });
    const begun = performance.now();
    for (;;) {
      const task = await callApi(Task, { where, method: "GET", path: `/v1/tasks/${id}` });
      if (task.result !== null) return [read(check, task, Math.round(performance.now() - begun), renew)];
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

function readContainerTask(
  check: string,
  { id, status, result }: Task,
  tookMs: number,
  renew: string,
): Finding {
  if (status === "succeeded") return ok(check, `a script ran in one, in ${tookMs} ms`);
  return fault(check, `${id} ended as ${status}: ${result?.text?.slice(0, 200) ?? ""}`, renew);
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
