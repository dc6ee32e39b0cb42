/** API keys: stored hashed, each of one tenant, with what it may do. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { Scope } from "../contracts/key.ts";
import { Batch, jsonColumn, prepare } from "./batch.ts";
import {
  type Found,
  found,
  NOT_FOUND,
  type Outcome,
  readList,
  readRefusal,
  type Refused,
} from "./outcome.ts";
import { type Caller, findKey, selectTenant } from "./statements/guards.ts";

export interface NewKey {
  readonly hash: string;
  readonly label: string;
  readonly scopes: readonly Scope[];
  /** Null: never. */
  readonly expiresAt: number | null;
}

/** The first key of an installation, which nobody could ask for with a key. The same again changes nothing. */
export function insertFirstKey(key: { hash: string; tenantId: string; label: string; now: number }): Sql {
  const { hash, tenantId, label, now } = key;
  return sql`INSERT INTO api_keys (hash, tenant_id, label, scopes, created_at)
    VALUES (${hash}, ${tenantId}, ${label}, '["admin"]', ${now}) ON CONFLICT DO NOTHING`;
}

/** Lets it in. */
export async function addFirstKey(db: D1Database, key: Parameters<typeof insertFirstKey>[0]): Promise<void> {
  await prepare(db, insertFirstKey(key)).run();
}

/** Whether it is somebody's key, whatever it may do. What is done with a key asks for it in its own batch; this is for what does not come to be done. */
export async function isApiKey(db: D1Database, caller: Caller): Promise<boolean> {
  return (await prepare(db, findKey(caller)).first()) !== null;
}

const Key = z.object({
  hash: z.string(),
  label: z.string(),
  scopes: jsonColumn(z.array(Scope)),
  created_at: z.int(),
  expires_at: z.nullable(z.int()),
  last_used_at: z.nullable(z.int()),
});
export type ApiKey = z.infer<typeof Key>;

/** Those of the caller's tenant, the expired ones too. */
export async function listKeys(db: D1Database, caller: Caller): Promise<Found<ApiKey[]> | Refused> {
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "keys",
      sql`SELECT hash, label, scopes, created_at, expires_at, last_used_at FROM api_keys
        WHERE tenant_id = ${selectTenant(caller)} ORDER BY created_at, hash`,
    )
    .run(db);
  return readList(results, "keys", Key);
}

/** Makes another key of the caller's tenant. */
export async function createKey(db: D1Database, caller: Caller, key: NewKey): Promise<Found<null> | Refused> {
  const { hash, label, scopes, expiresAt } = key;
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "created",
      sql`INSERT INTO api_keys (hash, tenant_id, label, scopes, expires_at, created_at)
        SELECT ${hash}, id, ${label}, ${JSON.stringify(scopes)}, ${expiresAt}, ${caller.now} FROM tenants WHERE id = ${selectTenant(caller)}`,
    )
    .run(db);
  return readRefusal(results) ?? found(null);
}

/** Takes a key away, but not the one that asks: an installation keeps one that may make others. Its hash begins so. */
export async function revokeKey(db: D1Database, caller: Caller, hashPrefix: string): Promise<Outcome<null>> {
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "revoked",
      sql`DELETE FROM api_keys WHERE tenant_id = ${selectTenant(caller)} AND hash <> ${caller.keyHash}
        AND substr(hash, 1, ${hashPrefix.length}) = ${hashPrefix}`,
    )
    .run(db);
  return readRefusal(results) ?? (results.changes("revoked") > 0 ? found(null) : NOT_FOUND);
}

/** Notes that a key was used, at most so often. */
export async function touchKey(db: D1Database, { keyHash, now }: Caller, everyMs: number): Promise<void> {
  await prepare(
    db,
    sql`UPDATE api_keys SET last_used_at = ${now} WHERE hash = ${keyHash} AND COALESCE(last_used_at, 0) < ${now - everyMs}`,
  ).run();
}
