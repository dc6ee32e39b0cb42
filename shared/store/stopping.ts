/** Stopping a task from a chat: by a command or by a button. What comes of it is said in the batch that does it. */
import type { Timings } from "../limits.ts";
import { stopStatements } from "./end.ts";
import type { DecisionOf } from "./decision.ts";

/** A stop has one answer: the stopped task's own, or, when nothing ran, one that says so. */
export function stopOrSaySo(
  db: D1Database,
  decision: DecisionOf<"stop">,
  now: number,
  timings: Timings,
): D1PreparedStatement[] {
  const { inbound } = decision;
  const conversationId = inbound.conversation_id;
  const endedBy = `stop:${inbound.id}`;
  const stop = { ...decision, conversationId, endedBy, inboundId: inbound.id };
  const idle = `NOT EXISTS (SELECT 1 FROM (SELECT ended_by FROM tasks WHERE conversation_id = ?2 ORDER BY seq DESC LIMIT 1)
    WHERE ended_by = ?3) AND EXISTS (SELECT 1 FROM inbound WHERE id = ?1 AND state = 'new')`;
  return [
    ...Object.values(stopStatements(db, stop, now, timings)),
    db
      .prepare(
        `INSERT INTO replies (id, tenant_id, conversation_id, text, final, created_at)
         SELECT ?1, ?4, ?2, ?5, 1, ?6 WHERE ${idle} ON CONFLICT DO NOTHING`,
      )
      .bind(inbound.id, conversationId, endedBy, inbound.tenant_id, decision.idleText, now),
    db
      .prepare(
        `INSERT INTO outbox (queue, key, ring_at) SELECT 'replies', ?1, ?4
         WHERE ${idle} AND EXISTS (SELECT 1 FROM replies WHERE id = ?1 AND state = 'open')
         ON CONFLICT DO NOTHING RETURNING queue, key`,
      )
      .bind(inbound.id, conversationId, endedBy, now + timings.doorbell_grace_ms),
  ];
}

/** A button always has an answer of its own, beside that of the task which it stops. */
export function pressButton(
  db: D1Database,
  decision: DecisionOf<"button">,
  now: number,
  timings: Timings,
): D1PreparedStatement[] {
  const { inbound } = decision;
  const endedBy = `stop:${inbound.id}`;
  const stop = { ...decision, conversationId: inbound.conversation_id, endedBy, inboundId: inbound.id };
  return [
    ...Object.values(stopStatements(db, stop, now, timings)),
    db
      .prepare(
        `INSERT INTO replies (id, tenant_id, conversation_id, text, final, callback_id, created_at)
         SELECT ?1, ?2, ?3, CASE WHEN EXISTS (SELECT 1 FROM tasks WHERE conversation_id = ?3 AND ended_by = ?4) THEN ?5 ELSE ?6 END,
           1, ?7, ?8 FROM inbound WHERE id = ?1 AND state = 'new' ON CONFLICT DO NOTHING`,
      )
      .bind(
        inbound.id,
        inbound.tenant_id,
        inbound.conversation_id,
        endedBy,
        decision.doneText,
        decision.idleText,
        decision.callbackId,
        inbound.received_at,
      ),
    db
      .prepare(
        `INSERT INTO outbox (queue, key, ring_at) SELECT 'replies', id, ?2 FROM replies WHERE id = ?1 AND state = 'open'
         ON CONFLICT DO NOTHING RETURNING queue, key`,
      )
      .bind(inbound.id, now + timings.doorbell_grace_ms),
  ];
}
