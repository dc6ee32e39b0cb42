/** Giving a reply's lease back: with its outcome, or until the next look. */
import sql from "sql-template-tag";
import { Batch } from "./batch.ts";
import { deleteDoorbell } from "./statements/doorbells.ts";
import { appendEvent, NOWHERE } from "./statements/events.ts";
import { type Lease, leaseHeld } from "./statements/guards.ts";

export interface ReplyOutcome {
  readonly state: "delivered" | "undeliverable";
  readonly reason: string | null;
  readonly externalIds: readonly string[];
}

/** Nothing is left to do: the doorbell goes, unless it was rung again meanwhile. */
export async function settleReply(
  db: D1Database,
  lease: Lease,
  version: number,
  { state, reason, externalIds }: ReplyOutcome,
  now: number,
): Promise<void> {
  const { replyId, token } = lease;
  const held = leaseHeld(lease);
  const isTask = sql`EXISTS (SELECT 1 FROM tasks WHERE id = ${replyId})`;
  const event = { type: state, ...NOWHERE, data: { messages: [...externalIds], reason } };
  await new Batch()
    .add("done", sql`${deleteDoorbell("replies", replyId, version)} AND ${held}`)
    // A reply without a task has no receipt.
    .add("event", appendEvent(replyId, event, now, sql`${held} AND ${isTask}`))
    // Last, for the others look for the token.
    .add(
      "release",
      sql`UPDATE replies SET lease_token = NULL, lease_until = 0, state = ${state}, reason = ${reason}
        WHERE id = ${replyId} AND lease_token = ${token}`,
    )
    .run(db);
}

export interface PostponedReply {
  readonly version: number;
  /** The revision that is shown now; null when nothing new is. */
  readonly revision: number | null;
  /** When its doorbell rings next. */
  readonly ringAt: number;
  /** Until then nobody takes the lease, whoever rings: the platform has said so. 0: at once. */
  readonly notBefore: number;
  /** Counts as an attempt that failed: the doorbell's waits grow. */
  readonly failed: boolean;
}

/** There is more to come, or to try again. */
export async function postponeReply(db: D1Database, lease: Lease, postponed: PostponedReply): Promise<void> {
  const { replyId, token } = lease;
  const { version, revision, ringAt, notBefore, failed } = postponed;
  const held = leaseHeld(lease);
  const rings = failed ? sql`rings + 1` : revision === null ? sql`rings` : sql`0`;
  const batch = new Batch();
  if (revision !== null)
    batch.add(
      "shown",
      sql`UPDATE deliveries SET revision = ${revision}
        WHERE reply_id = ${replyId} AND part >= 0 AND state = 'shown' AND ${held}`,
    );
  await batch
    .add(
      "doorbell",
      sql`UPDATE outbox SET ring_at = ${ringAt}, rings = ${rings}
        WHERE queue = 'replies' AND key = ${replyId} AND version = ${version} AND ${held}`,
    )
    .add(
      "release",
      sql`UPDATE replies SET lease_token = NULL, lease_until = ${notBefore} WHERE id = ${replyId} AND lease_token = ${token}`,
    )
    .run(db);
}
