/** API keys: stored hashed, each of one tenant. */
import sql from "sql-template-tag";
import { prepare } from "./batch.ts";
import { findKey } from "./statements/guards.ts";

export async function addApiKey(
  db: D1Database,
  { hash, tenantId, label, now }: { hash: string; tenantId: string; label: string; now: number },
): Promise<void> {
  await prepare(
    db,
    sql`INSERT INTO api_keys (hash, tenant_id, label, created_at) VALUES (${hash}, ${tenantId}, ${label}, ${now})
      ON CONFLICT DO NOTHING`,
  ).run();
}

/** Whether somebody has the key. What is done with a key asks for it in its own batch; this is for what does not come to be done. */
export async function isApiKey(db: D1Database, hash: string): Promise<boolean> {
  return (await prepare(db, findKey(hash)).first()) !== null;
}
