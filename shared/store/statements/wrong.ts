/** What may be wrong with an installation, as its rows tell it: each a SELECT of kind, subject and detail. */
import sql, { type Sql } from "sql-template-tag";
import { LIMITS, type Timings } from "../../limits.ts";

/** Names of the signs of life that the two clocks give. */
export const CLOCKS = { sweep: "clock", watch: "watch" } as const;
/** And that of a watch which somebody else has kept, for its own clock was late. */
export const LATE_WATCH = "late watch";

/** What a platform says of our webhook. `unknown`: it could not be asked, or cannot tell how it is now. */
export interface WebhookFinding {
  readonly channel: string;
  readonly state: "right" | "wrong" | "unknown" | "refused";
  /** It takes our credentials. */
  readonly isTaken: boolean;
  /** Empty where it is right. */
  readonly detail: string;
}

/** Everything that may be wrong at this time, by name: a SELECT of its own each, for D1 takes five at most in one. */
export function listWrong(
  now: number,
  timings: Timings,
  webhooks: readonly WebhookFinding[],
): Readonly<Record<string, Sql>> {
  const since = now - timings.alert_window_ms;
  // What goes on by itself does so for this long, and so often.
  const isOver = sql`(misconfigured > ${LIMITS.replays_max} OR parked_at <= ${now - timings.reply_kept_ms})`;
  return {
    parked: parked(isOver),
    channels: misconfiguredChannels(isOver),
    refused: refusedChannels(webhooks),
    model: misconfiguredModel(since),
    tasks: failingTasks(since),
    doorbells: stuckDoorbells,
    platforms: platforms(webhooks),
    clocks: clocks(now - timings.clock_late_ms),
  };
}

/** The newest reason stands for all: SQLite takes the other columns from the row of the maximum. */
const parked = (
  isOver: Sql,
) => sql`SELECT 'parked' AS kind, queue AS subject, n || ' put aside; the newest: ' || reason AS detail FROM (
    SELECT COUNT(*) AS n, MAX(parked_at), queue, substr(parked_reason, 1, ${LIMITS.fault_chars_max}) AS reason
    FROM outbox INDEXED BY outbox_parked WHERE parked_reason IS NOT NULL AND parked_at > 0 AND (misconfigured = 0 OR ${isOver})
      AND substr(key, 1, 6) <> 'alert_' GROUP BY queue
  )`;

const misconfiguredChannels = (
  isOver: Sql,
) => sql`SELECT 'misconfigured' AS kind, channel AS subject, reason || ' (' || n || ' answers wait for it)' AS detail FROM (
    SELECT c.channel AS channel, COUNT(*) AS n, MAX(o.parked_at), o.parked_reason AS reason
    FROM outbox o JOIN replies r ON r.id = o.key JOIN conversations c ON c.id = r.conversation_id
    WHERE o.parked_reason IS NOT NULL AND o.queue = 'replies' AND o.misconfigured > 0 AND NOT ${isOver} AND substr(r.id, 1, 6) <> 'alert_'
    GROUP BY c.channel
  )`;

/** Its platform says so when it is asked, before anybody is to be answered. */
const refusedChannels = (webhooks: readonly WebhookFinding[]) =>
  sql`SELECT 'misconfigured' AS kind, value->>'channel' AS subject, value->>'detail' AS detail
    FROM json_each(${JSON.stringify(webhooks)}) WHERE value->>'state' = 'refused'`;

/** A task that a model has answered, for which the rules are none; or that was told that there is no model any more. */
const isAnswered = sql`(error->>'code' = 'no_model' OR state = 'succeeded' AND EXISTS (
    SELECT 1 FROM turns WHERE turns.task_id = tasks.id AND turns.model <> 'rules'))`;

/** Without traffic nobody knows whether it was mended: it stays wrong until the model has answered once. */
function misconfiguredModel(since: number): Sql {
  const answered = (after: Sql) =>
    sql`EXISTS (SELECT 1 FROM tasks WHERE ended_at > MAX(${after}, ${since}) AND ${isAnswered})`;
  return sql`SELECT 'misconfigured' AS kind, 'model' AS subject, message AS detail FROM (
      SELECT MAX(ended_at) AS at, error->>'message' AS message FROM tasks
      WHERE ended_at > ${since} AND error->>'misconfigured' = 1
    ) WHERE at IS NOT NULL AND NOT ${answered(sql`at`)}
    UNION ALL
    SELECT kind, subject, detail FROM alerts
    WHERE kind = 'misconfigured' AND subject = 'model' AND wrong_since IS NOT NULL AND NOT ${answered(sql`wrong_since`)}`;
}

/** Those that are the engine's or the model's: what a person's own code does wrong is told to them, and to nobody else. */
function failingTasks(since: number): Sql {
  return sql`SELECT 'failing' AS kind, code AS subject, n || ' tasks; the newest: ' || message AS detail FROM (
      SELECT error->>'code' AS code, COUNT(*) AS n, MAX(ended_at), substr(error->>'message', 1, ${LIMITS.fault_chars_max}) AS message
      FROM tasks WHERE ended_at > ${since} AND error->>'code' IN ('model_failed', 'timed_out', 'stuck')
        AND error->>'misconfigured' IS NULL
      GROUP BY 1
    ) WHERE n >= ${LIMITS.alert_failures_min}`;
}

const stuckDoorbells = sql`SELECT 'failing' AS kind, 'queue ' || queue AS subject, COUNT(*) || ' waiting, tried ' || MAX(rings) || ' times in vain' AS detail
  FROM outbox INDEXED BY outbox_due WHERE parked_reason IS NULL AND ring_at >= 0 AND rings >= ${LIMITS.alert_rings_min} GROUP BY queue`;

/** Of what nobody knows, it stays as it was. */
function platforms(webhooks: readonly WebhookFinding[]): Sql {
  const found = sql`json_each(${JSON.stringify(webhooks)})`;
  return sql`SELECT 'webhook' AS kind, value->>'channel' AS subject, value->>'detail' AS detail FROM ${found} WHERE value->>'state' = 'wrong'
    UNION ALL
    SELECT kind, subject, detail FROM alerts WHERE kind = 'webhook' AND wrong_since IS NOT NULL
      AND subject IN (SELECT value->>'channel' FROM ${found} WHERE value->>'state' IN ('unknown', 'refused'))`;
}

/** One that never rang is late when others have been there for so long. */
function clocks(before: number): Sql {
  return sql`SELECT 'clock' AS kind, c.value->>'clock' AS subject, CASE WHEN at IS NULL THEN 'it has never rung' ELSE
      'it has not rung since ' || strftime('%Y-%m-%dT%H:%M:%SZ', at / 1000, 'unixepoch') END AS detail
    FROM json_each(${JSON.stringify(Object.entries(CLOCKS).map(([clock, sign]) => ({ clock, sign })))}) c
      LEFT JOIN signs ON signs.name = c.value->>'sign'
    WHERE COALESCE(at, (SELECT MIN(at) FROM signs)) < ${before}`;
}
