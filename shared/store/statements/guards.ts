/** "Only while": what a statement demands of the state that it changes. Whoever comes late, or twice, changes nothing. */
import sql, { raw, type Sql } from "sql-template-tag";
import type { TurnKey } from "../../contracts/turn.ts";

/** `state IN (…)` as the partial index of active tasks spells it, so that SQLite uses the index. */
export const ACTIVE = raw("state IN ('queued', 'running', 'waiting')");

/** The task has not ended. */
export function taskActive(taskId: string): Sql {
  return sql`EXISTS (SELECT 1 FROM tasks WHERE id = ${taskId} AND ${ACTIVE})`;
}

/** The task was ended by this one. */
export function taskEndedBy(taskId: string, endedBy: string): Sql {
  return sql`EXISTS (SELECT 1 FROM tasks WHERE id = ${taskId} AND ended_by = ${endedBy})`;
}

/** A turn that somebody plans, and the name under which they do so. */
export interface TurnClaim extends TurnKey {
  readonly claim: string;
}

/** The turn is claimed under this name, and not answered yet. */
export function claimHeld({ taskId, turn, claim }: TurnClaim): Sql {
  return sql`EXISTS (SELECT 1 FROM turns WHERE task_id = ${taskId} AND turn = ${turn} AND claim = ${claim} AND text IS NULL)`;
}

/** A reply that somebody shows, and the token by which they alone may. */
export interface Lease {
  readonly replyId: string;
  readonly token: string;
}

export function leaseHeld({ replyId, token }: Lease): Sql {
  return sql`EXISTS (SELECT 1 FROM replies WHERE id = ${replyId} AND lease_token = ${token})`;
}

/** The inbound was not handled yet: what it asks for is not done twice. */
export function inboundNew(inboundId: string): Sql {
  return sql`EXISTS (SELECT 1 FROM inbound WHERE id = ${inboundId} AND state = 'new')`;
}

/** Who says what is said with this key, in `messages.sender`. */
export function makeKeySender(keyHash: string): string {
  return `key:${keyHash}`;
}

/** The tenant whose key this is the hash of; nobody's key is no tenant's, and so reads and writes nothing. */
export function selectTenant(keyHash: string): Sql {
  return sql`(SELECT tenant_id FROM api_keys WHERE hash = ${keyHash})`;
}

/** Answers with the tenant of a key, for whoever has to know whether there is one. */
export function findKey(keyHash: string): Sql {
  return sql`SELECT tenant_id FROM api_keys WHERE hash = ${keyHash}`;
}
