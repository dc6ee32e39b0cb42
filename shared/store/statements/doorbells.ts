/** Doorbell rows: written by whoever changes state, in the same batch, and deleted by whoever has handled it. */
import sql, { type Sql } from "sql-template-tag";
import type { QueueName } from "../../contracts/doorbell.ts";

/** Rings for new rows: `keys` is SQL that selects them. A doorbell that is there already stays as it is. Answers with what is to be rung. */
export function ringNew(queue: QueueName, keys: Sql, ringAt: number): Sql {
  return sql`INSERT INTO outbox (queue, key, ring_at) SELECT ${queue}, key, ${ringAt} FROM (${keys}) WHERE true
    ON CONFLICT DO NOTHING RETURNING queue, key`;
}

/** What a second ring makes of a doorbell: whoever handles the first does not delete it, and it is parked no more. */
export function ringAgain(ringAt: number): Sql {
  return sql`ON CONFLICT DO UPDATE SET version = version + 1, ring_at = ${ringAt}, rings = 0, parked_reason = NULL, parked_at = NULL
    RETURNING queue, key`;
}

/** Deletes a doorbell that was handled, unless somebody rang it again meanwhile. */
export function deleteDoorbell(queue: QueueName, key: string, version: number | null): Sql {
  return sql`DELETE FROM outbox WHERE queue = ${queue} AND key = ${key} AND version = ${version}`;
}

/** Puts a doorbell aside: no sweep rings it until somebody replays it. */
export function parkDoorbell(queue: QueueName, key: string, reason: string, now: number): Sql {
  return sql`UPDATE outbox SET parked_reason = ${reason}, parked_at = ${now}, misconfigured = 0
    WHERE queue = ${queue} AND key = ${key} AND parked_reason IS NULL`;
}

/** A parked inbound is no new one: it is not triaged with the next message of its conversation. */
export function parkInbound(key: string, reason: string): Sql {
  return sql`UPDATE inbound SET state = 'parked', note = ${reason} WHERE id = ${key} AND state = 'new'`;
}
