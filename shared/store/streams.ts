/** The event streams that a key has open: bounded, for each of them reads the database again and again. */
import sql from "sql-template-tag";
import { LIMITS } from "../limits.ts";
import { Batch, prepare } from "./batch.ts";

export interface Stream {
  readonly keyHash: string;
  readonly id: string;
}

/** Opens a stream, or keeps it open, until then; false when the key has as many as it may have. */
export async function keepStream(
  db: D1Database,
  { keyHash, id }: Stream,
  until: number,
  now: number,
): Promise<boolean> {
  const results = await new Batch()
    .add("expired", sql`DELETE FROM streams WHERE key_hash = ${keyHash} AND open_until <= ${now}`)
    .add(
      "stream",
      sql`INSERT INTO streams (key_hash, id, open_until) SELECT ${keyHash}, ${id}, ${until}
        WHERE (SELECT COUNT(*) FROM streams WHERE key_hash = ${keyHash} AND id <> ${id}) < ${LIMITS.streams_per_key_max}
        ON CONFLICT DO UPDATE SET open_until = excluded.open_until`,
    )
    .run(db);
  return results.changes("stream") === 1;
}

export async function closeStream(db: D1Database, { keyHash, id }: Stream): Promise<void> {
  await prepare(db, sql`DELETE FROM streams WHERE key_hash = ${keyHash} AND id = ${id}`).run();
}
