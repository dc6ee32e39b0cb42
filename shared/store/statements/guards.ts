/** "Only while": what a statement demands of the state that it changes. Whoever comes late, or twice, changes nothing. */
import sql, { raw, type Sql } from "sql-template-tag";
import type { Scope } from "../../contracts/key.ts";
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

/** Who asks over the API, and what for: the store finds out whether their key may. */
export interface Caller {
  readonly keyHash: string;
  /** Any of them is enough; `admin` always is. */
  readonly scopes: readonly Scope[];
  readonly now: number;
}

/** Who says what is said with this key, in `messages.sender`. */
export function makeKeySender({ keyHash }: Caller): string {
  return `key:${keyHash}`;
}

/** The tenant of the caller's key, if it is one and may: else no tenant's, and so it reads and writes nothing. */
export function selectTenant(caller: Caller): Sql {
  return sql`(SELECT tenant_id FROM api_keys WHERE ${isGood(caller)} AND ${hasScope(caller.scopes)})`;
}

/** Answers with the tenant of a good key, and whether it may what it needs for this; for whoever has to know why there was nothing. */
export function findKey(caller: Caller): Sql {
  const needed = [...caller.scopes, "admin"].join(" or ");
  return sql`SELECT tenant_id, ${hasScope(caller.scopes)} AS may, ${needed} AS needed FROM api_keys WHERE ${isGood(caller)}`;
}

/** Tasks that the caller may see: all of the tenant with `admin`, and, where it is asked with that scope, with `approvals`; those of programs with `tasks:read`; else their own. */
export function taskVisible(caller: Caller, tasks: "t" | "tasks"): Sql {
  const table = raw(tasks);
  const readsAll = caller.scopes.includes("tasks:read") ? keyHas(caller, "tasks:read") : sql`0`;
  const decidesAll = caller.scopes.includes("approvals") ? keyHas(caller, "approvals") : sql`0`;
  return sql`${table}.tenant_id = ${selectTenant(caller)}
    AND (${decidesAll} OR ${table}.sender = ${makeKeySender(caller)} OR ${isAdmin(caller)} OR (${readsAll} AND ${table}.sender LIKE 'key:%'))`;
}

/** The key may do everything. */
export const isAdmin = (caller: Caller) => keyHas(caller, "admin");

const keyHas = ({ keyHash }: Caller, scope: Scope) =>
  sql`EXISTS (SELECT 1 FROM api_keys, json_each(scopes) s WHERE hash = ${keyHash} AND s.value = ${scope})`;

const isGood = ({ keyHash, now }: Caller) =>
  sql`hash = ${keyHash} AND (expires_at IS NULL OR expires_at > ${now})`;

const hasScope = (scopes: readonly Scope[]) =>
  sql`EXISTS (SELECT 1 FROM json_each(api_keys.scopes) WHERE value IN (SELECT value FROM json_each(${JSON.stringify([...scopes, "admin"])})))`;
