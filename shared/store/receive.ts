/** Receiving: what a request brought is stored, each event with its doorbell. */
import sql from "sql-template-tag";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { InboundEvent } from "../contracts/inbound.ts";
import type { Timings } from "../limits.ts";
import { Batch } from "./batch.ts";

export interface AcceptedInbound {
  readonly id: string;
  readonly tenantId: string;
  readonly channel: string;
  readonly conversationId: string | null;
  readonly event: InboundEvent | null;
  /** The request as it came: a string when it was UTF-8. Null where it is kept with another of its events. */
  readonly raw: string | ArrayBuffer | null;
  /** Why nobody can read it: then it is parked at once. */
  readonly parkedReason: string | null;
}

/** Returns the doorbells that are to be rung: not for a redelivery, not for what is parked. */
export async function receiveInbound(
  db: D1Database,
  inbound: readonly AcceptedInbound[],
  now: number,
  timings: Timings,
): Promise<PendingDoorbell[]> {
  if (inbound.length === 0) return [];
  const batch = new Batch();
  for (const [index, one] of inbound.entries()) addInbound(batch, index, one, now, timings);
  return (await batch.run(db)).doorbells();
}

function addInbound(
  batch: Batch,
  index: number,
  inbound: AcceptedInbound,
  now: number,
  timings: Timings,
): void {
  const { id, tenantId, channel, conversationId, raw, parkedReason } = inbound;
  const event = inbound.event === null ? null : JSON.stringify(inbound.event);
  const state = parkedReason === null ? "new" : "parked";
  batch.add(
    `inbound ${index}`,
    sql`INSERT INTO inbound (id, tenant_id, channel, conversation_id, event, raw, state, note, received_at)
      VALUES (${id}, ${tenantId}, ${channel}, ${conversationId}, ${event}, ${raw}, ${state}, ${parkedReason}, ${now})
      ON CONFLICT DO NOTHING`,
  );
  const ringAt = now + timings.doorbell_grace_ms;
  const parkedAt = parkedReason === null ? null : now;
  const doorbell = sql`INSERT INTO outbox (queue, key, ring_at, parked_reason, parked_at)
    SELECT 'inbound', id, ${ringAt}, ${parkedReason}, ${parkedAt} FROM inbound WHERE id = ${id} AND state IN ('new', 'parked')
    ON CONFLICT DO NOTHING`;
  if (parkedReason === null) batch.addRinging(`doorbell ${index}`, sql`${doorbell} RETURNING queue, key`);
  else batch.add(`doorbell ${index}`, doorbell);
}
