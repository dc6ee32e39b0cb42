/** Telling an alert in a chat: a reply that answers nobody, which the notifier shows as any other. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import type { ChatAddress } from "../channels/index.ts";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { Timings } from "../limits.ts";
import type { Notice } from "../contracts/alert.ts";
import { Batch } from "./batch.ts";
import { ringNew } from "./statements/doorbells.ts";

export interface ChatNotice {
  /** The same for the same telling: done twice, it is shown once. */
  readonly replyId: string;
  readonly tenantId: string;
  /** One for alerts alone: nobody's messages are part of it. */
  readonly conversationId: string;
  readonly address: ChatAddress;
  /** Markdown. */
  readonly text: string;
}

const Outcome = z.object({
  state: z.enum(["open", "delivered", "undeliverable"]),
  reason: z.nullable(z.string()),
});

export interface ToldChat {
  readonly doorbells: readonly PendingDoorbell[];
  /** What has become of the reply. */
  readonly outcome: z.infer<typeof Outcome>;
}

/** Writes the reply, or finds what has become of it. */
export async function tellChat(
  db: D1Database,
  { kind, subject, revision }: Notice,
  sink: string,
  { replyId, tenantId, conversationId, address, text }: ChatNotice,
  now: number,
  timings: Timings,
): Promise<ToldChat> {
  const results = await new Batch()
    .add(
      "conversation",
      sql`INSERT INTO conversations (id, tenant_id, channel, address, created_at)
        VALUES (${conversationId}, ${tenantId}, ${address.channel}, ${JSON.stringify(address)}, ${now}) ON CONFLICT DO NOTHING`,
    )
    .add(
      "reply",
      sql`INSERT INTO replies (id, tenant_id, conversation_id, text, final, answers_id, created_at)
        VALUES (${replyId}, ${tenantId}, ${conversationId}, ${text}, 1, NULL, ${now}) ON CONFLICT DO NOTHING`,
    )
    .add(
      "notice",
      sql`UPDATE notices SET reply_id = ${replyId}
        WHERE kind = ${kind} AND subject = ${subject} AND revision = ${revision} AND sink = ${sink}`,
    )
    .addRinging(
      "ring",
      ringNew(
        "replies",
        sql`SELECT id AS key FROM replies WHERE id = ${replyId} AND state = 'open'`,
        now + timings.doorbell_grace_ms,
      ),
    )
    .add("outcome", sql`SELECT state, reason FROM replies WHERE id = ${replyId}`)
    .run(db);
  const outcome = results.row("outcome", Outcome) ?? { state: "open", reason: null };
  return { doorbells: results.doorbells(), outcome };
}
