/** Replies (what is wanted) and deliveries (what is shown), under a lease: every write names its token. */
import * as z from "zod/mini";
import { ChannelName, ReplyAddress } from "../contracts/channel.ts";
import type { Timings } from "../limits.ts";
import { Artifacts, artifactsOf } from "./artifacts.ts";
import { jsonColumn, rowOf, rowsOf, runBatch } from "./batch.ts";
import { deleteDoorbell } from "./outbox.ts";

const ReplyRow = z.object({
  id: z.string(),
  conversation_id: z.string(),
  text: z.string(),
  revision: z.int(),
  final: z.int(),
  state: z.enum(["open", "delivered", "undeliverable"]),
  lease_token: z.nullable(z.string()),
  lease_until: z.int(),
  created_at: z.int(),
  /** It is no message, but what the platform is told for a button. */
  callback_id: z.nullable(z.string()),
  /** The platform's own id of the message that it answers. */
  answers_id: z.nullable(z.string()),
  channel: ChannelName,
  address: jsonColumn(ReplyAddress),
  version: z.nullable(z.int()),
  rings: z.nullable(z.int()),
  artifacts: jsonColumn(Artifacts),
});
export type ReplyRow = z.infer<typeof ReplyRow>;

const DeliveryRow = z.object({
  part: z.int(),
  state: z.enum(["creating", "absent", "doubtful", "shown"]),
  external_id: z.nullable(z.string()),
  revision: z.int(),
  doubts: z.int(),
});
export type DeliveryRow = z.infer<typeof DeliveryRow>;

/** The part number of the "done" ping. */
const PING_PART = -1;

export interface Lease {
  readonly replyId: string;
  readonly token: string;
}

/** A reply whose doorbell is there, at that version. */
export type Leased =
  | { kind: "not_found" }
  | { kind: "found"; reply: ReplyRow; version: number; deliveries: DeliveryRow[] };

/**
 * Looks at a reply and, if something is due to be shown, takes its lease and announces the creation of its first part,
 * all in one round trip. A part announced by somebody before, whose outcome nobody recorded, counts one more doubt.
 */
export async function leaseReply(
  db: D1Database,
  { replyId, token }: Lease,
  now: number,
  timings: Timings,
): Promise<Leased> {
  const mine = "EXISTS (SELECT 1 FROM replies WHERE id = ?1 AND lease_token = ?2)";
  const until = now + timings.lease_ms;
  const results = await runBatch(db, {
    lease: db
      .prepare(
        `UPDATE replies SET lease_token = ?2, lease_until = ?3
         WHERE id = ?1 AND state = 'open' AND lease_until <= ?4 AND (final = 1 OR created_at <= ?5)`,
      )
      .bind(replyId, token, until, now, now - timings.placeholder_after_ms),
    doubt: db
      .prepare(
        `UPDATE deliveries SET state = 'doubtful', doubts = doubts + 1
         WHERE reply_id = ?1 AND state = 'creating' AND part >= 0 AND ${mine}`,
      )
      .bind(replyId, token),
    announce: announcePart(db, { replyId, token }, 0, ["absent"]),
    doorbell: db
      .prepare(`UPDATE outbox SET ring_at = ?3 WHERE queue = 'replies' AND key = ?1 AND ${mine}`)
      .bind(replyId, token, until),
    reply: db
      .prepare(
        `SELECT r.id, r.conversation_id, r.text, r.revision, r.final, r.state, r.lease_token, r.lease_until, r.created_at, r.callback_id,
           (SELECT CASE WHEN json_valid(event) THEN event->>'messageId' END FROM inbound WHERE id = 'inb_' || substr(r.id, instr(r.id, '_') + 1)) AS answers_id,
           c.channel, c.address, o.version, o.rings, ${artifactsOf("r.id")} AS artifacts
         FROM replies r JOIN conversations c ON c.id = r.conversation_id
         LEFT JOIN outbox o ON o.queue = 'replies' AND o.key = r.id WHERE r.id = ?`,
      )
      .bind(replyId),
    deliveries: db
      .prepare(
        "SELECT part, state, external_id, revision, doubts FROM deliveries WHERE reply_id = ? ORDER BY part",
      )
      .bind(replyId),
  });
  const reply = rowOf(results("reply"), ReplyRow);
  // Nobody has a difference to make where no doorbell is.
  if (reply === undefined || reply.version === null) return { kind: "not_found" };
  return {
    kind: "found",
    reply,
    version: reply.version,
    deliveries: rowsOf(results("deliveries"), DeliveryRow),
  };
}

/** Records a created message and extends the lease. False: the lease is gone. */
export async function recordCreated(
  db: D1Database,
  lease: Lease,
  { part, externalId }: { part: number | "ping"; externalId: string },
  now: number,
  timings: Timings,
): Promise<boolean> {
  const results = await runBatch(db, {
    extend: db
      .prepare("UPDATE replies SET lease_until = ?3 WHERE id = ?1 AND lease_token = ?2")
      .bind(lease.replyId, lease.token, now + timings.lease_ms),
    record: db
      .prepare(
        `UPDATE deliveries SET state = 'shown', external_id = ?3 WHERE reply_id = ?1 AND part = ?4
         AND EXISTS (SELECT 1 FROM replies WHERE id = ?1 AND lease_token = ?2)`,
      )
      .bind(lease.replyId, lease.token, externalId, part === "ping" ? PING_PART : part),
  });
  return results("record").meta.changes === 1;
}

/** Announces that a part is about to be created, again if its last creation is in doubt. False: the lease is gone. */
export async function announce(db: D1Database, lease: Lease, part: number): Promise<boolean> {
  return (await announcePart(db, lease, part, ["absent", "doubtful"]).run()).meta.changes === 1;
}

/** Announces the ping. False: it was announced before, whatever came of it. */
export async function announcePing(db: D1Database, lease: Lease): Promise<boolean> {
  return (await announcePart(db, lease, PING_PART, []).run()).meta.changes === 1;
}

/** The platform said that a create did not happen, or that the message is gone: creating it again doubles nothing. What is in doubt stays so. */
export async function recordAbsent(db: D1Database, lease: Lease, part: number): Promise<void> {
  await db
    .prepare(
      `UPDATE deliveries SET state = 'absent', external_id = NULL WHERE reply_id = ?1 AND part = ?3 AND state <> 'doubtful'
       AND EXISTS (SELECT 1 FROM replies WHERE id = ?1 AND lease_token = ?2)`,
    )
    .bind(lease.replyId, lease.token, part)
    .run();
}

export interface Shown {
  version: number | null;
  /** The revision that is shown now; null when nothing new is. */
  revision: number | null;
  outcome: {
    state: "delivered" | "undeliverable";
    reason: string | null;
    externalIds: readonly string[];
  } | null;
  /** When to look again, unless there is an outcome. */
  lookAt: number;
  /** Until then nobody takes the lease, whoever rings: the platform has said so. 0: at once. */
  notBefore?: number;
  /** Counts as an attempt that failed: the doorbell's waits grow. */
  failed: boolean;
}

/**
 * Ends a look: records what is shown and gives the lease back. With an outcome the doorbell goes,
 * unless it was rung again meanwhile; without one it moves to the next look.
 */
export async function settleReply(
  db: D1Database,
  { replyId, token }: Lease,
  shown: Shown,
  now: number,
): Promise<void> {
  const mine = "EXISTS (SELECT 1 FROM replies WHERE id = ?1 AND lease_token = ?2)";
  const { outcome } = shown;
  const doorbell = outcome
    ? {
        delivered: db
          .prepare(`DELETE FROM outbox WHERE queue = 'replies' AND key = ?1 AND version = ?3 AND ${mine}`)
          .bind(replyId, token, shown.version),
        event: db
          .prepare(
            `INSERT INTO events (task_id, key, at, data) SELECT ?1, ?3, ?4, json_object('messages', json(?5), 'reason', ?6)
             WHERE ${mine} ON CONFLICT DO NOTHING`,
          )
          .bind(replyId, token, outcome.state, now, JSON.stringify(outcome.externalIds), outcome.reason),
      }
    : {
        doorbell: db
          .prepare(
            `UPDATE outbox SET ring_at = ?3, rings = CASE WHEN ?4 THEN rings + 1 WHEN ?6 THEN 0 ELSE rings END
             WHERE queue = 'replies' AND key = ?1 AND version = ?5 AND ${mine}`,
          )
          .bind(
            replyId,
            token,
            shown.lookAt,
            shown.failed ? 1 : 0,
            shown.version,
            shown.revision === null ? 0 : 1,
          ),
      };
  await runBatch(db, {
    shown: db
      .prepare(
        `UPDATE deliveries SET revision = COALESCE(?3, revision) WHERE reply_id = ?1 AND part >= 0 AND state = 'shown' AND ${mine}`,
      )
      .bind(replyId, token, shown.revision),
    ...doorbell,
    // Last, for the others look for the token.
    release: db
      .prepare(
        `UPDATE replies SET lease_token = NULL, lease_until = ?5, state = COALESCE(?3, state), reason = ?4
         WHERE id = ?1 AND lease_token = ?2`,
      )
      .bind(replyId, token, outcome?.state ?? null, outcome?.reason ?? null, shown.notBefore ?? 0),
  });
}

/** A doorbell whose reply has its outcome: nothing is left to do. */
export async function dropReplyDoorbell(db: D1Database, replyId: string, version: number): Promise<void> {
  await deleteDoorbell(db, "replies", replyId, version).run();
}

function announcePart(
  db: D1Database,
  { replyId, token }: Lease,
  part: number,
  again: readonly ("absent" | "doubtful")[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO deliveries (reply_id, part, state)
       SELECT id, ?3, 'creating' FROM replies WHERE id = ?1 AND lease_token = ?2 AND callback_id IS NULL
       ON CONFLICT DO UPDATE SET state = 'creating' WHERE deliveries.state IN (SELECT value FROM json_each(?4))`,
    )
    .bind(replyId, token, part, JSON.stringify(again));
}
