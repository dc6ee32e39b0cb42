/** The real D1 of this test file, migrated. */
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";

interface TestEnv {
  DB: D1Database;
  MIGRATIONS: D1Migration[];
}

export async function openDatabase(): Promise<D1Database> {
  const { DB, MIGRATIONS } = env as unknown as TestEnv;
  await applyD1Migrations(DB, MIGRATIONS);
  return DB;
}

export async function rows<Row>(db: D1Database, sql: string, ...bindings: unknown[]): Promise<Row[]> {
  const { results } = await db
    .prepare(sql)
    .bind(...bindings)
    .all<Row>();
  return results;
}
