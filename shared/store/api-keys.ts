/** API keys: stored hashed, each of one tenant. */

export async function addApiKey(
  db: D1Database,
  { hash, tenantId, label, now }: { hash: string; tenantId: string; label: string; now: number },
): Promise<void> {
  await db
    .prepare(
      "INSERT INTO api_keys (hash, tenant_id, label, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(hash, tenantId, label, now)
    .run();
}
