/** The ledger of messages: each creation is announced before it is made, and recorded after it. Every write names the lease. */
import sql, { type Sql } from "sql-template-tag";
import type { Timings } from "../limits.ts";
import { Batch, prepare } from "./batch.ts";
import { type Lease, leaseHeld } from "./statements/guards.ts";

/** The part number of the "done" ping. */
const PING_PART = -1;

/** A write under a lease; `refused`: the lease is gone, or, of a ping, it was announced before. */
export type Recorded = { kind: "recorded" } | { kind: "refused" };

/** Announces that a part is about to be created, again where its last creation has come to one of these. */
export function announcePart(
  { replyId, token }: Lease,
  part: number,
  again: readonly ("absent" | "doubtful")[],
): Sql {
  return sql`INSERT INTO deliveries (reply_id, part, state)
    SELECT id, ${part}, 'creating' FROM replies WHERE id = ${replyId} AND lease_token = ${token} AND callback_id IS NULL
    ON CONFLICT DO UPDATE SET state = 'creating'
    WHERE deliveries.state IN (SELECT value FROM json_each(${JSON.stringify(again)}))`;
}

/** Announces a part, again if its last creation is in doubt. */
export function announceMessage(db: D1Database, lease: Lease, part: number): Promise<Recorded> {
  return write(db, announcePart(lease, part, ["absent", "doubtful"]));
}

/** Announces the ping: once, whatever came of it. */
export function announcePing(db: D1Database, lease: Lease): Promise<Recorded> {
  return write(db, announcePart(lease, PING_PART, []));
}

/** Records a created message and extends the lease. */
export async function recordMessage(
  db: D1Database,
  lease: Lease,
  { part, externalId }: { part: number | "ping"; externalId: string },
  now: number,
  timings: Timings,
): Promise<Recorded> {
  const { replyId, token } = lease;
  const number = part === "ping" ? PING_PART : part;
  const results = await new Batch()
    .add(
      "extend",
      sql`UPDATE replies SET lease_until = ${now + timings.lease_ms} WHERE id = ${replyId} AND lease_token = ${token}`,
    )
    .add(
      "record",
      sql`UPDATE deliveries SET state = 'shown', external_id = ${externalId}
        WHERE reply_id = ${replyId} AND part = ${number} AND ${leaseHeld(lease)}`,
    )
    .run(db);
  return { kind: results.changes("record") === 1 ? "recorded" : "refused" };
}

/** The platform said that a creation did not happen, or that the message is gone: creating it again doubles nothing. What is in doubt stays so. */
export async function recordAbsent(db: D1Database, lease: Lease, part: number): Promise<void> {
  await write(
    db,
    sql`UPDATE deliveries SET state = 'absent', external_id = NULL
      WHERE reply_id = ${lease.replyId} AND part = ${part} AND state <> 'doubtful' AND ${leaseHeld(lease)}`,
  );
}

async function write(db: D1Database, statement: Sql): Promise<Recorded> {
  const { meta } = await prepare(db, statement).run();
  return { kind: meta.changes === 1 ? "recorded" : "refused" };
}
