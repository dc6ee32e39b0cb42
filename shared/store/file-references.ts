/** Which files in R2 something names still: what a task made, what a message came with, what lies in a workspace, what a model is shown. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { select } from "./batch.ts";

/** Those of these hashes that nothing names. */
export async function listUnnamed(db: D1Database, hashes: readonly string[]): Promise<string[]> {
  const rows = await select(
    db,
    sql`SELECT value AS sha256 FROM json_each(${JSON.stringify(hashes)})
      WHERE NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.sha256 = value)
        AND NOT EXISTS (SELECT 1 FROM attachments a WHERE a.sha256 IS NOT NULL AND a.sha256 = value)
        AND NOT EXISTS (SELECT 1 FROM workspace_files w WHERE w.sha256 = value)
        AND value NOT IN (SELECT image.value->>'sha256' FROM calls c, json_each(c.images) image WHERE c.images <> '[]')`,
    z.object({ sha256: z.string() }),
  );
  return rows.map(({ sha256 }) => sha256);
}
