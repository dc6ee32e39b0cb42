/** `GET /v1/status`: how the installation is doing. `npm run status` shows it. */
import { Hono } from "hono";
import type { Status } from "../../../shared/contracts/api.ts";
import type { TaskState } from "../../../shared/contracts/task.ts";
import type { QueueName } from "../../../shared/contracts/doorbell.ts";
import { type InstallationStatus, readStatus } from "../../../shared/store/status.ts";
import { CLOCKS, LATE_WATCH } from "../../../shared/store/statements/wrong.ts";
import { readVersion } from "../../../shared/version.ts";
import type { Env } from "../env.ts";
import { authenticate, unwrapOutcome } from "./caller.ts";
import { formatTime } from "./view.ts";

export const status = new Hono<{ Bindings: Env }>();

status.get("/", async (c) => {
  const caller = await authenticate(c, "tasks:read", "dead-letters");
  const found = unwrapOutcome(await readStatus(c.env.DB, caller), "status");
  return c.json<Status>(view(found, readVersion(c.env)));
});

const formatOrNull = (at: number | null | undefined) =>
  at === null || at === undefined ? null : formatTime(at);

function view(
  { waiting, tasks, parked, spent, faults, signs, alerts, untold }: InstallationStatus,
  version: string | null,
): Status {
  const queueOf = (name: QueueName) => {
    const { waiting: all = 0, overdue = 0, oldest_at } = waiting.find(({ queue }) => queue === name) ?? {};
    return { waiting: all, overdue, oldest_at: formatOrNull(oldest_at) };
  };
  const countOf = (state: TaskState) => tasks.find((counted) => counted.state === state)?.tasks ?? 0;
  return {
    version,
    queues: { inbound: queueOf("inbound"), tasks: queueOf("tasks"), replies: queueOf("replies") },
    tasks: {
      queued: countOf("queued"),
      running: countOf("running"),
      waiting: countOf("waiting"),
      succeeded: countOf("succeeded"),
      failed: countOf("failed"),
      cancelled: countOf("cancelled"),
      timed_out: countOf("timed_out"),
    },
    dead_letters: parked,
    swept_at: formatOrNull(signs.find(({ name }) => name === CLOCKS.sweep)?.at),
    watched_at: formatOrNull(signs.find(({ name }) => name === CLOCKS.watch)?.at),
    workers: signs
      .filter(({ name }) => ![...Object.values<string>(CLOCKS), LATE_WATCH].includes(name))
      .map(({ name, version: its, at }) => ({ name, version: its, seen_at: formatTime(at) })),
    today: spent,
    alerts: alerts.map(({ kind, subject, detail, wrong_since }) => ({
      kind,
      subject,
      detail,
      since: formatTime(wrong_since),
    })),
    untold_alerts: untold,
    faults_of_the_hour: faults.map(({ what, count, last_at }) => ({
      what,
      count,
      last_at: formatTime(last_at),
    })),
  };
}
