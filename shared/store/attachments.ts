/** What messages came with: kept, or why it could not be. */
import * as z from "zod/mini";
import { rowsOf } from "./batch.ts";

const Attachment = z.object({
  message_id: z.string(),
  i: z.int(),
  sha256: z.nullable(z.string()),
  mime: z.string(),
  bytes: z.int(),
  failure: z.nullable(z.string()),
});
export type Attachment = z.infer<typeof Attachment>;

export async function attachmentsOf(db: D1Database, messageIds: readonly string[]): Promise<Attachment[]> {
  const result = await db
    .prepare(
      `SELECT message_id, i, sha256, mime, bytes, failure FROM attachments
       WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY message_id, i`,
    )
    .bind(JSON.stringify(messageIds))
    .all();
  return rowsOf(result, Attachment);
}

/** The first outcome holds. */
export async function recordAttachments(db: D1Database, attachments: readonly Attachment[]): Promise<void> {
  await db
    .prepare(
      `INSERT INTO attachments (message_id, i, sha256, mime, bytes, failure)
       SELECT value->>'message_id', value->>'i', value->>'sha256', value->>'mime', value->>'bytes', value->>'failure'
       FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`,
    )
    .bind(JSON.stringify(attachments))
    .run();
}

/** The model does not take them: whoever asks it again only names them. */
export async function recordRefused(
  db: D1Database,
  messageIds: readonly string[],
  failure: string,
): Promise<void> {
  await db
    .prepare(
      `UPDATE attachments SET sha256 = NULL, failure = ?2
       WHERE message_id IN (SELECT value FROM json_each(?1)) AND failure IS NULL`,
    )
    .bind(JSON.stringify(messageIds), failure)
    .run();
}
