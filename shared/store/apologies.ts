/** The answer to a message that was put aside before it became a task. */
import type { Timings } from "../limits.ts";

/**
 * Answers a parked inbound, once. The reply has an id of its own, so that a replay of the message can still be answered.
 * What nobody could read has no sender to tell.
 */
export function apologyStatements(
  db: D1Database,
  inboundId: string,
  text: string,
  now: number,
  timings: Timings,
) {
  return {
    conversation: db
      .prepare(
        `INSERT INTO conversations (id, tenant_id, channel, address, created_at)
         SELECT conversation_id, tenant_id, channel, event->'address', ?2 FROM inbound
         WHERE id = ?1 AND conversation_id IS NOT NULL AND json_valid(event) ON CONFLICT DO NOTHING`,
      )
      .bind(inboundId, now),
    reply: db
      .prepare(
        `INSERT INTO replies (id, tenant_id, conversation_id, text, final, created_at)
         SELECT i.id || ':parked', i.tenant_id, c.id, ?2, 1, ?3 FROM inbound i JOIN conversations c ON c.id = i.conversation_id
         WHERE i.id = ?1 AND i.state = 'parked' ON CONFLICT DO NOTHING`,
      )
      .bind(inboundId, text, now),
    ring: db
      .prepare(
        `INSERT INTO outbox (queue, key, ring_at) SELECT 'replies', id, ?2 FROM replies WHERE id = ?1 || ':parked' AND state = 'open'
         ON CONFLICT DO NOTHING RETURNING queue, key`,
      )
      .bind(inboundId, now + timings.doorbell_grace_ms),
  };
}
