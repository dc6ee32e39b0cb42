/** Leasing a reply: whoever has the lease alone makes what is shown what is wanted. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { ChannelName, ReplyAddress } from "../contracts/channel.ts";
import type { Timings } from "../limits.ts";
import { Batch, jsonColumn, prepare } from "./batch.ts";
import { announcePart } from "./record-message.ts";
import { Artifacts, artifactsColumn } from "./statements/artifacts.ts";
import { deleteDoorbell } from "./statements/doorbells.ts";
import { type Lease, leaseHeld } from "./statements/guards.ts";

const Delivery = z.object({
  part: z.int(),
  /** `creating`: announced; `doubtful`: announced by somebody who never came back. */
  state: z.enum(["creating", "absent", "doubtful", "shown"]),
  external_id: z.nullable(z.string()),
  revision: z.int(),
  doubts: z.int(),
});

const Reply = z.object({
  id: z.string(),
  conversation_id: z.string(),
  text: z.string(),
  revision: z.int(),
  final: z.int(),
  state: z.enum(["open", "delivered", "undeliverable"]),
  lease_token: z.nullable(z.string()),
  lease_until: z.int(),
  created_at: z.int(),
  /** When what is wanted last was: its task had ended, or it was decided. */
  wanted_at: z.int(),
  /** It is no message, but what the platform is told for a button. */
  callback_id: z.nullable(z.string()),
  /** Its task waits for a person. */
  is_waiting: z.int(),
  /** It asks a person, who answers with these; null: it asks nothing. */
  buttons: z.nullable(jsonColumn(z.array(z.object({ label: z.string(), data: z.string() })))),
  /** The platform's own id of the message that it answers. */
  answers_id: z.nullable(z.string()),
  channel: ChannelName,
  address: jsonColumn(ReplyAddress),
  /** Of its doorbell. */
  version: z.int(),
  rings: z.int(),
  artifacts: jsonColumn(Artifacts),
  deliveries: jsonColumn(z.array(Delivery)),
});
export type Reply = z.infer<typeof Reply>;

/** Not found: it has no doorbell, so nobody has a difference to make. */
export type LeasedReply = { kind: "found"; reply: Reply } | { kind: "not_found" };

/**
 * Takes the lease if something is due, and announces the creation of the first part, all in one round trip. A part that somebody
 * announced before, and whose outcome nobody recorded, counts one more doubt. Whether the lease was taken, `lease_token` tells.
 */
export async function leaseReply(
  db: D1Database,
  lease: Lease,
  now: number,
  timings: Timings,
): Promise<LeasedReply> {
  const { replyId, token } = lease;
  const results = await new Batch()
    .add(
      "lease",
      sql`UPDATE replies SET lease_token = ${token}, lease_until = ${now + timings.lease_ms}
        WHERE id = ${replyId} AND state = 'open' AND lease_until <= ${now}
          AND (final = 1 OR buttons IS NOT NULL OR created_at <= ${now - timings.placeholder_after_ms})`,
    )
    .add(
      "doubt",
      sql`UPDATE deliveries SET state = 'doubtful', doubts = doubts + 1
        WHERE reply_id = ${replyId} AND state = 'creating' AND part >= 0 AND ${leaseHeld(lease)}`,
    )
    .add("announce", announcePart(lease, 0, ["absent"]))
    .add(
      "reply",
      sql`SELECT r.id, r.conversation_id, r.text, r.revision, r.final, r.state, r.lease_token, r.lease_until, r.created_at,
          MAX(r.created_at, COALESCE((SELECT ended_at FROM tasks WHERE id = r.id), 0),
            COALESCE((SELECT decided_at FROM approvals WHERE id = r.id), 0)) AS wanted_at,
          r.callback_id, r.buttons, r.answers_id, EXISTS (SELECT 1 FROM tasks t WHERE t.id = r.id AND t.state = 'waiting') AS is_waiting, c.channel, c.address, o.version, o.rings, ${artifactsColumn("r.id")} AS artifacts,
          (SELECT json_group_array(json_object('part', part, 'state', state, 'external_id', external_id, 'revision', revision,
            'doubts', doubts) ORDER BY part) FROM deliveries WHERE reply_id = r.id) AS deliveries
        FROM replies r JOIN conversations c ON c.id = r.conversation_id
        JOIN outbox o ON o.queue = 'replies' AND o.key = r.id WHERE r.id = ${replyId}`,
    )
    .run(db);
  const reply = results.row("reply", Reply);
  return reply === undefined ? { kind: "not_found" } : { kind: "found", reply };
}

/** A doorbell whose reply has its outcome: nothing is left to do. */
export async function dropReplyDoorbell(db: D1Database, replyId: string, version: number): Promise<void> {
  await prepare(db, deleteDoorbell("replies", replyId, version)).run();
}
