/** Putting a doorbell aside, on the dead-letter desk, and telling whoever waits for what it stood for. */
import sql from "sql-template-tag";
import type { Doorbell, PendingDoorbell } from "../contracts/doorbell.ts";
import type { TaskError } from "../contracts/task.ts";
import type { Timings } from "../limits.ts";
import { Batch, prepare } from "./batch.ts";
import { parkDoorbell, parkInbound, ringNew } from "./statements/doorbells.ts";
import { addEndTask } from "./statements/end-task.ts";
import { type Lease, leaseHeld } from "./statements/guards.ts";

/**
 * Puts a reply aside that nobody can be sent, for a setting is missing or wrong, and gives its lease back. What was being created was
 * refused, so it is not there; what is shown already stays. Whoever has lost the lease, or was told of an older doorbell, parks nothing:
 * somebody may have mended it and replayed it meanwhile.
 */
export async function parkMisconfigured(
  db: D1Database,
  lease: Lease,
  { version, reason }: { version: number; reason: string },
  now: number,
): Promise<void> {
  const held = leaseHeld(lease);
  const { replyId, token } = lease;
  await new Batch()
    .add(
      "refused",
      sql`UPDATE deliveries SET state = 'absent' WHERE reply_id = ${replyId} AND part >= 0 AND state = 'creating' AND ${held}`,
    )
    .add(
      "park",
      sql`UPDATE outbox SET parked_reason = ${reason}, parked_at = ${now}, misconfigured = misconfigured + 1
        WHERE queue = 'replies' AND key = ${replyId} AND version = ${version} AND parked_reason IS NULL AND ${held}`,
    )
    // Last, for the others look for the token.
    .add(
      "release",
      sql`UPDATE replies SET lease_token = NULL, lease_until = 0 WHERE id = ${replyId} AND lease_token = ${token}`,
    )
    .run(db);
}

/** `parked_before`: somebody else has, or it is gone. */
export type Parked = { kind: "parked" | "parked_before"; doorbells: PendingDoorbell[] };

/**
 * Puts aside what no consumer could handle and tells whoever waits for it, in one batch: a parked doorbell that nobody was told
 * of would be silence. Done again, it changes nothing more.
 */
export async function parkAndTell(
  db: D1Database,
  { queue, key }: Doorbell,
  { reason, text }: { reason: string; text: string },
  now: number,
  timings: Timings,
): Promise<Parked> {
  // First, for the end of a task deletes its doorbell, and this one is to stay on the desk.
  const batch = new Batch().add("park", parkDoorbell(queue, key, reason, now));
  if (queue === "inbound")
    addFailureNotice(batch.add("inbound", parkInbound(key, reason)), key, text, now, timings);
  if (queue === "tasks") {
    const error: TaskError = { code: "stuck", message: reason };
    const end = { taskId: key, state: "failed" as const, endedBy: "dead-letter", error, answer: { text } };
    addEndTask(batch, end, now, timings);
  }
  const results = await batch.run(db);
  const kind = results.changes("park") === 1 ? "parked" : "parked_before";
  return { kind, doorbells: results.doorbells() };
}

/**
 * Answers a message that was put aside before it became a task, once. The reply has an id of its own, so that a replay of the
 * message can still be answered. What nobody could read has no sender to tell.
 */
function addFailureNotice(
  batch: Batch,
  inboundId: string,
  text: string,
  now: number,
  timings: Timings,
): void {
  const replyId = `${inboundId}:parked`;
  batch
    .add(
      "conversation",
      sql`INSERT INTO conversations (id, tenant_id, channel, address, created_at)
        SELECT conversation_id, tenant_id, channel, event->'address', ${now} FROM inbound
        WHERE id = ${inboundId} AND conversation_id IS NOT NULL AND json_valid(event) ON CONFLICT DO NOTHING`,
    )
    .add(
      "notice",
      sql`INSERT INTO replies (id, tenant_id, conversation_id, text, final, answers_id, created_at)
        SELECT ${replyId}, i.tenant_id, c.id, ${text}, 1, CASE WHEN json_valid(i.event) THEN i.event->>'messageId' END, ${now}
        FROM inbound i JOIN conversations c ON c.id = i.conversation_id
        WHERE i.id = ${inboundId} AND i.state = 'parked' ON CONFLICT DO NOTHING`,
    )
    .addRinging(
      "ring notice",
      ringNew(
        "replies",
        sql`SELECT id AS key FROM replies WHERE id = ${replyId} AND state = 'open'`,
        now + timings.doorbell_grace_ms,
      ),
    );
}

/** A queue message that is no doorbell: kept as it came, for nobody knows what it was to ring. */
export async function parkUnreadable(
  db: D1Database,
  { key, body, reason, now }: { key: string; body: string; reason: string; now: number },
): Promise<void> {
  await prepare(
    db,
    sql`INSERT INTO outbox (queue, key, ring_at, parked_reason, parked_at, parked_body)
      VALUES ('unreadable', ${key}, ${now}, ${reason}, ${now}, ${body}) ON CONFLICT DO NOTHING`,
  ).run();
}
