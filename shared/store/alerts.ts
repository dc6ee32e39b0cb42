/** The watch's transition: what is wrong now, what of it is told, to whom. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { Notice } from "../contracts/alert.ts";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { Batch, prepare, select } from "./batch.ts";
import { CLOCKS, LATE_WATCH, listWrong, type WebhookFinding } from "./statements/wrong.ts";

const DueNotice = z.extend(Notice, { sink: z.string(), attempts: z.int() });
export type DueNotice = z.infer<typeof DueNotice>;

export interface Watch {
  readonly webhooks: readonly WebhookFinding[];
  /** Who is to be told of what changes now. */
  readonly sinks: readonly string[];
  readonly version: string;
  /** Its own clock is late: somebody else has come to keep it. */
  readonly isLate: boolean;
}

export interface Watched {
  /** What is to be told now. */
  readonly due: readonly DueNotice[];
  /** What was put aside, and may go on. */
  readonly doorbells: readonly PendingDoorbell[];
}

/**
 * Looks at everything, in one batch, and takes what is to be told and is due. What has been wrong for `alert_hold_ms` is told, once, and
 * again when it is resolved; what comes back within `alert_calm_ms` waits until that is over. Two watches at once tell it once.
 */
export async function watch(
  db: D1Database,
  { webhooks, sinks, version, isLate }: Watch,
  now: number,
  timings: Timings,
): Promise<Watched> {
  const { alert_hold_ms, alert_calm_ms, backoff_ms_max, doorbell_grace_ms } = timings;
  const batch = new Batch();
  for (const [name, wrong] of Object.entries(listWrong(now, timings, webhooks)))
    batch.add(`wrong: ${name}`, noteWrong(wrong, now, timings));
  const results = await batch
    // After what is wrong: whatever is refused again was seen.
    .addRinging("replay", replayMended(webhooks, now, timings))
    .add(
      "right",
      sql`UPDATE alerts SET wrong_since = NULL WHERE wrong_since IS NOT NULL AND seen_at < ${now}`,
    )
    .add(
      "fire",
      sql`UPDATE alerts SET told = 'firing', told_at = ${now}, revision = revision + 1
        WHERE told <> 'firing' AND wrong_since <= ${now - alert_hold_ms} AND told_at <= ${now - alert_calm_ms}`,
    )
    .add(
      "resolve",
      sql`UPDATE alerts SET told = 'resolved', told_at = ${now}, revision = revision + 1
        WHERE told = 'firing' AND wrong_since IS NULL`,
    )
    // Of an end is told who was told of the beginning.
    .add(
      "notices",
      sql`INSERT INTO notices (kind, subject, revision, sink, state, detail, created_at, due_at)
        SELECT a.kind, a.subject, a.revision, s.value, a.told, a.detail, ${now}, ${now} FROM alerts a, json_each(${JSON.stringify(sinks)}) s
        WHERE a.told_at = ${now} AND (a.told = 'firing' OR EXISTS (SELECT 1 FROM notices n
          WHERE n.kind = a.kind AND n.subject = a.subject AND n.revision = a.revision - 1 AND n.sink = s.value
            AND COALESCE(n.outcome, 'told') = 'told'))
        ON CONFLICT DO NOTHING`,
    )
    .add(
      "sign",
      sql`INSERT INTO signs (name, version, at) VALUES (${isLate ? LATE_WATCH : CLOCKS.watch}, ${version}, ${now})
        ON CONFLICT DO UPDATE SET version = excluded.version, at = excluded.at`,
    )
    // Nobody hears of an end whose beginning they were not told: what comes after it must not wait for that.
    .add(
      "orphans",
      sql`UPDATE notices SET outcome = 'not told, for its beginning was not' WHERE state = 'resolved' AND outcome IS NULL AND EXISTS (
        SELECT 1 FROM notices o WHERE o.kind = notices.kind AND o.subject = notices.subject AND o.sink = notices.sink
          AND o.revision = notices.revision - 1 AND o.outcome <> 'told')`,
    )
    // Each sink hears of an alert in its order.
    .add(
      "due",
      sql`UPDATE notices SET attempts = attempts + 1, due_at = ${now} + MIN(${doorbell_grace_ms} << MIN(attempts, 20), ${backoff_ms_max})
        WHERE (kind, subject, revision, sink) IN (
          SELECT kind, subject, revision, sink FROM notices n WHERE outcome IS NULL AND due_at <= ${now} AND NOT EXISTS (
            SELECT 1 FROM notices o WHERE o.kind = n.kind AND o.subject = n.subject AND o.sink = n.sink
              AND o.outcome IS NULL AND o.revision < n.revision)
          ORDER BY created_at LIMIT ${LIMITS.notices_at_once_max})
        RETURNING *`,
    )
    .run(db);
  return { due: results.rows("due", DueNotice), doorbells: results.doorbells() };
}

/** What was put aside for a platform's credentials goes on once it takes them, within the time that answers are kept, and not for ever. */
function replayMended(webhooks: readonly WebhookFinding[], now: number, timings: Timings): Sql {
  const mended = webhooks.filter(({ isTaken }) => isTaken).map(({ channel }) => channel);
  return sql`UPDATE outbox SET parked_reason = NULL, parked_at = NULL, version = version + 1, rings = 0,
      ring_at = ${now + timings.doorbell_grace_ms}
    WHERE (queue, key) IN (SELECT o.queue, o.key
      FROM outbox o JOIN replies r ON r.id = o.key JOIN conversations c ON c.id = r.conversation_id
      WHERE o.parked_reason IS NOT NULL AND o.parked_at > ${now - timings.reply_kept_ms} AND o.queue = 'replies'
        AND o.misconfigured BETWEEN 1 AND ${LIMITS.replays_max} AND c.channel IN (SELECT value FROM json_each(${JSON.stringify(mended)}))
      ORDER BY o.parked_at LIMIT ${LIMITS.sweep_rows_max})
    RETURNING queue, key`;
}

/** After so long without a watch nobody knows whether it was wrong all the time. Late watches are closer together. */
const GAP_WATCHES = 2;

/** It is wrong since now, or still. */
function noteWrong(wrong: Sql, now: number, { clock_late_ms }: Timings): Sql {
  return sql`INSERT INTO alerts (kind, subject, detail, seen_at, wrong_since)
    SELECT kind, subject, substr(detail, 1, ${LIMITS.error_chars_max}), ${now}, ${now} FROM (${wrong})
    WHERE true ON CONFLICT DO UPDATE
    SET detail = excluded.detail, seen_at = excluded.seen_at,
      wrong_since = CASE WHEN seen_at < ${now - GAP_WATCHES * clock_late_ms} THEN excluded.wrong_since
      ELSE COALESCE(wrong_since, excluded.wrong_since) END`;
}

/** It was told, or nobody is told of it any more. */
export async function settleNotice(db: D1Database, notice: DueNotice, outcome: string): Promise<void> {
  const { kind, subject, revision, sink } = notice;
  await prepare(
    db,
    sql`UPDATE notices SET outcome = ${outcome}
      WHERE kind = ${kind} AND subject = ${subject} AND revision = ${revision} AND sink = ${sink}`,
  ).run();
}

/** Whether nobody has watched for longer than the clock takes. Never where there was no watch yet. */
export async function isWatchLate(db: D1Database, now: number, { clock_late_ms }: Timings): Promise<boolean> {
  const [newest] = await select(
    db,
    sql`SELECT MAX(at) AS at FROM signs WHERE name IN (${CLOCKS.watch}, ${LATE_WATCH})`,
    z.object({ at: z.nullable(z.int()) }),
  );
  return newest !== undefined && newest.at !== null && newest.at < now - clock_late_ms;
}
