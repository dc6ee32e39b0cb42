/** Messages: written down set-wise, so that a hundred cost the statements of one; edited until they are read; forgotten. */
import sql from "sql-template-tag";
import type { Timings } from "../../limits.ts";
import type { Batch } from "../batch.ts";
import type { DecisionOf } from "../decision.ts";
import { inboundNew } from "../statements/guards.ts";
import { addStartTasks, selectConversations } from "../statements/start-tasks.ts";

export function addMessages(
  batch: Batch,
  messages: readonly (DecisionOf<"message"> | DecisionOf<"respond">)[],
  now: number,
  timings: Timings,
): void {
  const rows = messages.map(({ inbound, messageId, taskId, externalId, sender, content }) => ({
    id: messageId,
    task: taskId,
    external: externalId,
    sender,
    inbound: inbound.id,
    conversation: inbound.conversation_id,
    content: JSON.stringify(content),
    units: JSON.stringify(content).length,
    at: inbound.received_at,
  }));
  batch.add(
    "messages",
    sql`INSERT INTO messages (id, conversation_id, content, external_id, starts_task_id, units, sender, created_at)
      SELECT value->>'id', value->>'conversation', value->>'content', value->>'external', value->>'task', value->>'units', value->>'sender', value->>'at'
      FROM json_each(${JSON.stringify(rows)})
      WHERE EXISTS (SELECT 1 FROM inbound WHERE id = value->>'inbound' AND state = 'new')
        AND (value->>'content'->>'files' IS NOT NULL OR NOT EXISTS (SELECT 1 FROM approvals WHERE decision_key = value->>'inbound'))
      ORDER BY key ON CONFLICT DO NOTHING`,
  );
  const conversations = [...new Set(messages.map(({ inbound }) => inbound.conversation_id))];
  addStartTasks(batch, selectConversations(conversations), now, timings);
}

export function addEdit(batch: Batch, { inbound, externalId, content }: DecisionOf<"edit">): void {
  const said = JSON.stringify(content);
  batch.add(
    "edit",
    sql`UPDATE messages SET content = ${said}, units = ${said.length}
      WHERE conversation_id = ${inbound.conversation_id} AND task_id IS NULL AND external_id = ${externalId}
        AND ${inboundNew(inbound.id)}`,
  );
}

/** Everything said so far: what comes after it is remembered, also when this is triaged again. */
export function addForgetting(batch: Batch, { inbound }: DecisionOf<"forget">): void {
  const id = inbound.conversation_id;
  batch.add(
    "forget",
    sql`UPDATE conversations
      SET forgotten_seq = COALESCE((SELECT MAX(seq) FROM messages WHERE conversation_id = ${id}), 0)
      WHERE id = ${id} AND ${inboundNew(inbound.id)}`,
  );
}
