/** What messages came with: kept, or why it could not be. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { prepare, select } from "./batch.ts";

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

/** The first outcome holds. */
export async function recordAttachments(db: D1Database, attachments: readonly Attachment[]): Promise<void> {
  await prepare(
    db,
    sql`INSERT INTO attachments (message_id, position, sha256, mime, bytes, failure)
      SELECT value->>'message_id', value->>'position', value->>'sha256', value->>'mime', value->>'bytes', value->>'failure'
      FROM json_each(${JSON.stringify(attachments)}) WHERE true ON CONFLICT DO NOTHING`,
  ).run();
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
