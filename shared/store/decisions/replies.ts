/** Replies that need no task: final from the beginning. The reply has the inbound's id, so that two triages write one. */
import sql from "sql-template-tag";
import type { Timings } from "../../limits.ts";
import type { Batch } from "../batch.ts";
import type { DecisionOf } from "../decision.ts";
import { ringNew } from "../statements/doorbells.ts";

type Replying = Pick<DecisionOf<"reply">, "inbound" | "text" | "externalId">;

export function addReplies(batch: Batch, replies: readonly Replying[], now: number, timings: Timings): void {
  const rows = JSON.stringify(
    replies.map(({ inbound, text, externalId }) => ({
      id: inbound.id,
      tenant: inbound.tenant_id,
      conversation: inbound.conversation_id,
      text,
      answers: externalId,
    })),
  );
  batch
    .add(
      "replies",
      sql`INSERT INTO replies (id, tenant_id, conversation_id, text, final, answers_id, created_at)
        SELECT value->>'id', value->>'tenant', value->>'conversation', value->>'text', 1, value->>'answers', ${now}
        FROM json_each(${rows}) WHERE true ON CONFLICT DO NOTHING`,
    )
    .addRinging(
      "ring replies",
      ringNew(
        "replies",
        sql`SELECT id AS key FROM replies WHERE id IN (SELECT value->>'id' FROM json_each(${rows})) AND state = 'open'`,
        now + timings.doorbell_grace_ms,
      ),
    );
}
