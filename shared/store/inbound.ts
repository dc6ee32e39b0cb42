/** Messages from chat apps: accepted in one batch, read by triage, kept until no platform delivers them again. */
import * as z from "zod/mini";
import type { Doorbell } from "../contracts/doorbell.ts";
import type { InboundEvent } from "../contracts/inbound.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { rowsOf } from "./batch.ts";
import { doorbellsOf } from "./outbox.ts";

export interface AcceptedInbound {
  id: string;
  tenantId: string;
  channel: string;
  conversationId: string | null;
  event: InboundEvent | null;
  /** As it came: a string when it was UTF-8. */
  raw: string | ArrayBuffer;
  /** Why nobody can read it: then it is parked at once. */
  parkedReason: string | null;
}

/**
 * Stores what a request brought, each event with its doorbell. Returns the doorbells that are to be rung: not for a redelivery,
 * not for what is parked.
 */
export async function acceptInbound(
  db: D1Database,
  inbound: readonly AcceptedInbound[],
  now: number,
  timings: Timings,
): Promise<Doorbell[]> {
  if (inbound.length === 0) return [];
  const results = await db.batch(inbound.flatMap((one) => acceptStatements(db, one, now, timings)));
  return results.flatMap((result) => doorbellsOf(result));
}

function acceptStatements(
  db: D1Database,
  inbound: AcceptedInbound,
  now: number,
  timings: Timings,
): D1PreparedStatement[] {
  const { id, parkedReason } = inbound;
  const doorbell = db
    .prepare(
      `INSERT INTO outbox (queue, key, ring_at, parked_reason, parked_at)
       SELECT 'inbound', id, ?2, ?3, CASE WHEN ?3 IS NULL THEN NULL ELSE ?4 END FROM inbound
       WHERE id = ?1 AND state IN ('new', 'parked')
       ON CONFLICT DO NOTHING${parkedReason === null ? " RETURNING queue, key" : ""}`,
    )
    .bind(id, now + timings.doorbell_grace_ms, parkedReason, now);
  return [
    db
      .prepare(
        `INSERT INTO inbound (id, tenant_id, channel, conversation_id, event, raw, state, note, received_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      )
      .bind(
        id,
        inbound.tenantId,
        inbound.channel,
        inbound.conversationId,
        inbound.event === null ? null : JSON.stringify(inbound.event),
        inbound.raw,
        parkedReason === null ? "new" : "parked",
        parkedReason,
        now,
      ),
    doorbell,
  ];
}

const NewInbound = z.object({
  id: z.string(),
  version: z.int(),
  tenant_id: z.string(),
  conversation_id: z.string(),
  event: z.string(),
  received_at: z.int(),
});
export type NewInbound = z.infer<typeof NewInbound>;

/** Everything new in the conversations of these, in the order of arrival: a doorbell lost or late puts nothing out of order. */
export async function newInbound(db: D1Database, ids: readonly string[]): Promise<NewInbound[]> {
  const result = await db
    .prepare(
      `SELECT i.id, o.version, i.tenant_id, i.conversation_id, i.event, i.received_at
       FROM inbound i JOIN outbox o ON o.queue = 'inbound' AND o.key = i.id
       WHERE i.state = 'new' AND i.conversation_id IN (
         SELECT conversation_id FROM inbound WHERE id IN (SELECT value FROM json_each(?1)))
       ORDER BY i.seq`,
    )
    .bind(JSON.stringify(ids))
    .all();
  return rowsOf(result, NewInbound);
}

/** Forgets what no platform will deliver again. Reads a bounded run of the oldest rows. */
export async function purgeInbound(db: D1Database, now: number, timings: Timings): Promise<void> {
  await db
    .prepare(
      `DELETE FROM inbound WHERE seq < (SELECT MIN(seq) + ?1 FROM inbound)
       AND received_at < ?2 AND state IN ('handled', 'ignored')`,
    )
    .bind(LIMITS.purge_rows_max, now - timings.inbound_kept_ms)
    .run();
}
