/** `npm run status [-- --watch]`: how an installation is doing. */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Status } from "../shared/contracts/api.ts";
import { TIMINGS } from "../shared/limits.ts";
import { callApi, WHERE_OPTIONS } from "./installation/call-api.ts";
import { command } from "./installation/command.ts";

const USAGE = `Usage: npm run status -- [--state .errand | --name errand] [--watch] [--json]
  what waits, what runs, what was put aside, what it has cost today, and what has failed in the last hour
  --watch  again every five seconds, until you stop it
  --json   as GET /v1/status answers`;

const EVERY_MS = 5_000;
/** The clock rings every minute on Cloudflare, and every few seconds here. */
const { clock_late_ms: CLOCK_LATE_MS } = TIMINGS;

await command(USAGE, async () => {
  const { values } = parseArgs({
    options: {
      ...WHERE_OPTIONS,
      watch: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  for (;;) {
    const status = await callApi(Status, { where: values, method: "GET", path: "/v1/status" });
    console.log(values.json ? JSON.stringify(status, null, 2) : describe(status, Date.now()));
    if (!values.watch) return;
    await sleep(EVERY_MS);
    console.log("");
  }
});

function describe(status: Status, now: number): string {
  const { queues, tasks, dead_letters, swept_at, watched_at, workers, today, version } = status;
  const { alerts, untold_alerts, faults_of_the_hour } = status;
  const { queued, running, waiting, succeeded, failed, cancelled, timed_out } = tasks;
  const cost = today.cost_usd === null ? "price unknown" : `$${today.cost_usd.toFixed(4)}`;
  return [
    `waiting        ${Object.entries(queues)
      .map(([name, backlog]) => describeBacklog(name, backlog, now))
      .join("   ")}`,
    `tasks          ${queued} queued, ${running} running, ${waiting} waiting for a person`,
    `in 24 hours    ${succeeded} succeeded, ${failed} failed, ${cancelled} cancelled, ${timed_out} timed out`,
    `put aside      ${dead_letters === 0 ? "nothing" : `${dead_letters}: npm run dead-letters -- list`}`,
    `clocks         sweep ${describeClock(swept_at, now)}, watch ${describeClock(watched_at, now)}`,
    `today          ${today.turns === 0 ? "no turns yet" : `${today.turns} turns, ${today.tokens_in} tokens in, ${today.tokens_out} out, ${cost}`}`,
    `versions       ${workers.length === 0 ? (version ?? "none") : workers.map((worker) => `${worker.name} ${worker.version}`).join(", ")}`,
    ...alerts.map(
      ({ kind, subject, detail, since }) =>
        `alert          ${[kind, subject].filter(Boolean).join(" ")}, for ${formatAge(since, now)}: ${detail}`,
    ),
    ...(untold_alerts > 0
      ? [`untold         ${untold_alerts} alerts of a day: look for "given up" in the log`]
      : []),
    ...faults_of_the_hour.map(
      ({ what, count, last_at }) => `failed         ${count} × ${what} (last ${formatAge(last_at, now)} ago)`,
    ),
  ].join("\n");
}

function describeBacklog(
  name: string,
  { waiting, overdue, oldest_at }: Status["queues"]["inbound"],
  now: number,
): string {
  const oldest = oldest_at === null ? "" : `, oldest ${formatAge(oldest_at, now)}`;
  return `${name} ${waiting}${oldest}${overdue > 0 ? ` ⚠ ${overdue} overdue` : ""}`;
}

function describeClock(rungAt: string | null, now: number): string {
  if (rungAt === null) return "never heard of";
  const isLate = now - Date.parse(rungAt) > CLOCK_LATE_MS;
  return `rang ${formatAge(rungAt, now)} ago${isLate ? " ⚠ it has stopped" : ""}`;
}

function formatAge(at: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1_000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
