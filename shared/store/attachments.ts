/** What messages came with: kept, or why it could not be. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { Batch, prepare, select } from "./batch.ts";

const Attachment = z.object({
  message_id: z.string(),
  position: z.int(),
  sha256: z.nullable(z.string()),
  mime: z.string(),
  bytes: z.int(),
  failure: z.nullable(z.string()),
});
export type Attachment = z.infer<typeof Attachment>;

export function readAttachments(db: D1Database, messageIds: readonly string[]): Promise<Attachment[]> {
  return select(
    db,
    sql`SELECT message_id, position, sha256, mime, bytes, failure FROM attachments
      WHERE message_id IN (SELECT value FROM json_each(${JSON.stringify(messageIds)})) ORDER BY message_id, position`,
    Attachment,
  );
}

/** Where it lies in the workspace, which is where people look for what they sent; null for what was not kept. */
export type Placed = Attachment & { readonly path: string | null };

/** The first outcome holds. What has no room in the workspace is kept all the same. */
export async function recordAttachments(
  db: D1Database,
  conversationId: string,
  attachments: readonly Placed[],
  now: number,
): Promise<void> {
  const all = sql`json_each(${JSON.stringify(attachments)})`;
  const held = (column: Sql) =>
    sql`(SELECT ${column} FROM workspace_files WHERE conversation_id = ${conversationId})`;
  await new Batch()
    .add(
      "attachments",
      sql`INSERT INTO attachments (message_id, position, sha256, mime, bytes, failure)
      SELECT value->>'message_id', value->>'position', value->>'sha256', value->>'mime', value->>'bytes', value->>'failure'
      FROM ${all} WHERE true ON CONFLICT DO NOTHING`,
    )
    .add(
      "workspace",
      sql`INSERT INTO workspaces (conversation_id, tenant_id, changed_at)
        SELECT id, tenant_id, ${now} FROM conversations WHERE id = ${conversationId} ON CONFLICT DO NOTHING`,
    )
    .add(
      "files",
      sql`INSERT INTO workspace_files (conversation_id, path, sha256, bytes, mime, message_id)
        SELECT ${conversationId}, path, sha256, bytes, mime, message_id FROM (
          SELECT value->>'path' AS path, value->>'sha256' AS sha256, value->>'bytes' AS bytes, value->>'mime' AS mime,
            value->>'message_id' AS message_id, COUNT(*) OVER sent AS nth, SUM(value->>'bytes') OVER sent AS size
          FROM ${all} WHERE value->>'path' IS NOT NULL WINDOW sent AS (ORDER BY key))
        WHERE ${held(sql`COUNT(*)`)} + nth <= ${LIMITS.workspace_files_max}
          AND ${held(sql`COALESCE(SUM(bytes), 0)`)} + size <= ${LIMITS.workspace_bytes_max}
        ON CONFLICT DO UPDATE SET message_id = excluded.message_id WHERE sha256 = excluded.sha256`,
    )
    .run(db);
}

/** The model does not take them: whoever asks it again only names them. */
export async function recordRefused(
  db: D1Database,
  messageIds: readonly string[],
  failure: string,
): Promise<void> {
  await prepare(
    db,
    sql`UPDATE attachments SET sha256 = NULL, failure = ${failure}
      WHERE message_id IN (SELECT value FROM json_each(${JSON.stringify(messageIds)})) AND failure IS NULL`,
  ).run();
}
