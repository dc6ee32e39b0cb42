/** Signs of life: when the clock, and each Worker, was last heard of, and in which version. */
import sql from "sql-template-tag";
import { prepare } from "./batch.ts";

/** Notes that it is there. */
export async function noteSign(
  db: D1Database,
  { name, version, now }: { name: string; version: string; now: number },
): Promise<void> {
  await prepare(
    db,
    sql`INSERT INTO signs (name, version, at) VALUES (${name}, ${version}, ${now})
      ON CONFLICT DO UPDATE SET version = excluded.version, at = excluded.at`,
  ).run();
}
