/** How an installation is doing: what waits, since when, what it has cost and what has failed. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { AlertKind } from "../contracts/alert.ts";
import { QueueName } from "../contracts/doorbell.ts";
import { TaskState } from "../contracts/task.ts";
import { LIMITS, TIMINGS } from "../limits.ts";
import { Batch } from "./batch.ts";
import { type Found, found, readRefusal, type Refused } from "./outcome.ts";
import { ACTIVE, type Caller, findKey } from "./statements/guards.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A telling that nobody has taken for so long. */
const UNTOLD_MS = 600_000;

const Waiting = z.object({
  queue: QueueName,
  waiting: z.int(),
  overdue: z.int(),
  oldest_at: z.nullable(z.int()),
});
const Counted = z.object({ state: TaskState, tasks: z.int() });
const Spent = z.object({
  turns: z.int(),
  tokens_in: z.int(),
  tokens_out: z.int(),
  cost_usd: z.nullable(z.number()),
});
const Fault = z.object({ what: z.string(), count: z.int(), last_at: z.int() });
const Sign = z.object({ name: z.string(), version: z.string(), at: z.int() });
const Alert = z.object({ kind: AlertKind, subject: z.string(), detail: z.string(), wrong_since: z.int() });
const Parked = z.object({ count: z.int() });

export interface InstallationStatus {
  readonly waiting: readonly z.infer<typeof Waiting>[];
  /** Tasks that are active, and those that have ended in a day. */
  readonly tasks: readonly z.infer<typeof Counted>[];
  readonly parked: number;
  /** By tasks that are active, or have ended since midnight (UTC). */
  readonly spent: z.infer<typeof Spent>;
  /** Of the last hour: tasks that failed, by their reason, and what was parked, by its. */
  readonly faults: readonly z.infer<typeof Fault>[];
  /** What is wrong now, for longer than a moment. */
  readonly alerts: readonly z.infer<typeof Alert>[];
  /** Tellings of alerts in a day that nobody has taken. */
  readonly untold: number;
  /** The newest sign of life of each clock, and of each Worker. */
  readonly signs: readonly z.infer<typeof Sign>[];
}

/** One round trip, over what is under way and what has ended in a day. */
export async function readStatus(
  db: D1Database,
  caller: Caller,
): Promise<Found<InstallationStatus> | Refused> {
  const { now } = caller;
  const results = await addStatus(new Batch().add("key", findKey(caller)), now).run(db);
  const refusal = readRefusal(results);
  if (refusal !== null) return refusal;
  const spent = results.row("spent", Spent) ?? { turns: 0, tokens_in: 0, tokens_out: 0, cost_usd: null };
  return found({
    waiting: results.rows("waiting", Waiting),
    tasks: results.rows("tasks", Counted),
    parked: results.row("parked", Parked)?.count ?? 0,
    spent,
    faults: results.rows("faults", Fault),
    alerts: results.rows("alerts", Alert),
    untold: results.row("untold", Parked)?.count ?? 0,
    signs: results.rows("signs", Sign),
  });
}

function addStatus(batch: Batch, now: number): Batch {
  const midnight = now - (now % DAY_MS);
  return batch
    .add(
      "waiting",
      sql`SELECT o.queue, COUNT(*) AS waiting, SUM(o.ring_at < ${now - TIMINGS.clock_late_ms}) AS overdue,
          MIN(COALESCE(i.received_at, t.created_at, r.created_at)) AS oldest_at
        FROM outbox o
          LEFT JOIN inbound i ON o.queue = 'inbound' AND i.id = o.key
          LEFT JOIN tasks t ON o.queue = 'tasks' AND t.id = o.key
          LEFT JOIN replies r ON o.queue = 'replies' AND r.id = o.key
        WHERE o.parked_reason IS NULL AND o.ring_at >= 0 GROUP BY o.queue`,
    )
    .add(
      "tasks",
      sql`SELECT state, COUNT(*) AS tasks FROM (
          SELECT state FROM tasks WHERE ${ACTIVE} UNION ALL SELECT state FROM tasks WHERE ended_at > ${now - DAY_MS}
        ) GROUP BY state`,
    )
    .add(
      "parked",
      sql`SELECT COUNT(*) AS count FROM outbox WHERE parked_reason IS NOT NULL AND parked_at > 0`,
    )
    .add(
      "spent",
      sql`SELECT COUNT(*) AS turns, COALESCE(SUM(tokens_in), 0) AS tokens_in, COALESCE(SUM(tokens_out), 0) AS tokens_out,
          SUM(cost_usd) AS cost_usd
        FROM (SELECT id FROM tasks WHERE ${ACTIVE} UNION ALL SELECT id FROM tasks WHERE ended_at >= ${midnight}) n
          JOIN turns ON turns.task_id = n.id
        WHERE turns.text IS NOT NULL`,
    )
    .add(
      "faults",
      sql`SELECT what, COUNT(*) AS count, MAX(at) AS last_at FROM (
          SELECT 'task: ' || (error->>'code') AS what, ended_at AS at FROM tasks WHERE ended_at > ${now - HOUR_MS} AND error IS NOT NULL
          UNION ALL
          SELECT queue || ': ' || substr(parked_reason, 1, ${LIMITS.fault_chars_max}), parked_at FROM outbox
            WHERE parked_reason IS NOT NULL AND parked_at > ${now - HOUR_MS}
        ) GROUP BY what ORDER BY count DESC, what LIMIT ${LIMITS.faults_page_max}`,
    )
    .add(
      "alerts",
      sql`SELECT kind, subject, detail, wrong_since FROM alerts WHERE wrong_since IS NOT NULL AND (told = 'firing' OR wrong_since <= ${now - TIMINGS.alert_hold_ms})
        ORDER BY wrong_since`,
    )
    .add(
      "untold",
      sql`SELECT COUNT(*) AS count FROM notices WHERE created_at > ${now - DAY_MS}
        AND (outcome LIKE 'given up%' OR (outcome IS NULL AND created_at < ${now - UNTOLD_MS}))`,
    )
    .add("signs", sql`SELECT name, version, at FROM signs ORDER BY name`);
}
