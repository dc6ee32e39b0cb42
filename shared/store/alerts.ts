/** The watch's transition: what is wrong now, what of it is told, to whom. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { Notice } from "../contracts/alert.ts";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { Batch, prepare, select } from "./batch.ts";
import { CLOCKS, listWrong, type WebhookFinding } from "./statements/wrong.ts";

const DueNotice = z.extend(Notice, { sink: z.string(), attempts: z.int() });
export type DueNotice = z.infer<typeof DueNotice>;

export interface Watch {
  readonly webhooks: readonly WebhookFinding[];
  /** Who is to be told of what changes now. */
  readonly sinks: readonly string[];
  readonly version: string;
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
  { webhooks, sinks, version }: Watch,
  now: number,
  timings: Timings,
): Promise<Watched> {
  const { alert_hold_ms, alert_calm_ms, backoff_ms_max, doorbell_grace_ms } = timings;
  const batch = new Batch().addRinging("replay", replayMended(webhooks, now, timings));
  for (const [name, wrong] of Object.entries(listWrong(now, timings, webhooks)))
    batch.add(`wrong: ${name}`, noteWrong(wrong, now));
  const results = await batch
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
    .add(
      "notices",
      sql`INSERT INTO notices (kind, subject, revision, sink, state, detail, created_at, due_at)
        SELECT kind, subject, revision, value, told, detail, ${now}, ${now} FROM alerts, json_each(${JSON.stringify(sinks)})
        WHERE told_at = ${now} ON CONFLICT DO NOTHING`,
    )
    .add(
      "sign",
      sql`INSERT INTO signs (name, version, at) VALUES (${CLOCKS.watch}, ${version}, ${now})
        ON CONFLICT DO UPDATE SET version = excluded.version, at = excluded.at`,
    )
    .add(
      "due",
      sql`UPDATE notices SET attempts = attempts + 1, due_at = ${now} + MIN(${doorbell_grace_ms} << MIN(attempts, 20), ${backoff_ms_max})
        WHERE (kind, subject, revision, sink) IN (
          SELECT kind, subject, revision, sink FROM notices WHERE outcome IS NULL AND due_at <= ${now}
          ORDER BY created_at LIMIT ${LIMITS.notices_at_once_max})
        RETURNING *`,
    )
    .run(db);
  return { due: results.rows("due", DueNotice), doorbells: results.doorbells() };
}

/** What was put aside for a platform's credentials goes back to work once it takes them; each time counts as a ring in vain, until it is shown. */
function replayMended(webhooks: readonly WebhookFinding[], now: number, timings: Timings): Sql {
  const mended = webhooks.filter(({ state }) => state === "right" || state === "wrong");
  const channels = JSON.stringify(mended.map(({ channel }) => channel));
  return sql`UPDATE outbox SET parked_reason = NULL, parked_at = NULL, misconfigured = 0, version = version + 1, rings = rings + 1,
      ring_at = ${now + timings.doorbell_grace_ms}
    WHERE parked_reason IS NOT NULL AND parked_at > 0 AND queue = 'replies' AND misconfigured = 1 AND rings < ${LIMITS.rings_max}
      AND EXISTS (SELECT 1 FROM replies r JOIN conversations c ON c.id = r.conversation_id
        WHERE r.id = outbox.key AND c.channel IN (SELECT value FROM json_each(${channels})))
    RETURNING queue, key`;
}

/** It is wrong since now, or still. */
function noteWrong(wrong: Sql, now: number): Sql {
  return sql`INSERT INTO alerts (kind, subject, detail, seen_at, wrong_since)
    SELECT kind, subject, substr(detail, 1, ${LIMITS.error_chars_max}), ${now}, ${now} FROM (${wrong})
    WHERE true ON CONFLICT DO UPDATE
    SET detail = excluded.detail, seen_at = excluded.seen_at, wrong_since = COALESCE(wrong_since, excluded.wrong_since)`;
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

/** Whether nobody has watched for longer than the clock takes. */
export async function isWatchLate(db: D1Database, now: number, { clock_late_ms }: Timings): Promise<boolean> {
  const signs = await select(
    db,
    sql`SELECT 1 AS late FROM signs WHERE name = ${CLOCKS.watch} AND at < ${now - clock_late_ms}`,
    z.object({ late: z.int() }),
  );
  return signs.length > 0;
}
