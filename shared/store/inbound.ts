/** What came in, as triage reads it. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { ApprovalKind } from "../contracts/approval.ts";
import { Policy } from "../policy/policy.ts";
import { jsonColumn, select } from "./batch.ts";
import { ACTIVE } from "./statements/guards.ts";

const NewInbound = z.object({
  id: z.string(),
  /** Of its doorbell. */
  version: z.int(),
  tenant_id: z.string(),
  conversation_id: z.string(),
  event: z.string(),
  received_at: z.int(),
  /** What waits in its conversation already. */
  unread: z.int(),
  unread_chars: z.int(),
  /** Whether a task is under way there; if not, the next message begins one. */
  is_active: z.int(),
  /** How many tasks are under way that its sender began, here or elsewhere. */
  sender_active: z.int(),
  /** What a call there asks a person: a question before an approval, and the oldest first. What a turn may cost is decided by its buttons and commands alone. */
  waits: z.nullable(
    jsonColumn(
      z.object({
        id: z.string(),
        kind: ApprovalKind,
        /** Whom the task is for. */
        sender: z.string(),
        approvers: Policy.shape.approvers,
      }),
    ),
  ),
});
export type NewInbound = z.infer<typeof NewInbound>;

/** Everything new in the conversations of these, in the order of arrival: a doorbell lost or late puts nothing out of order. */
export function readNewInbound(db: D1Database, ids: readonly string[]): Promise<NewInbound[]> {
  return select(
    db,
    sql`WITH fresh AS (
        SELECT i.seq, i.id, o.version, i.tenant_id, i.conversation_id, i.event, i.received_at,
          i.channel || ':' || CASE WHEN json_valid(i.event) THEN i.event->>'$.sender.id' END AS sender
        FROM inbound i JOIN outbox o ON o.queue = 'inbound' AND o.key = i.id
        WHERE i.state = 'new' AND i.conversation_id IN (
          SELECT conversation_id FROM inbound WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)})))
      )
      SELECT id, version, tenant_id, conversation_id, event, received_at,
        (SELECT COUNT(*) FROM messages m WHERE m.conversation_id = fresh.conversation_id AND m.task_id IS NULL) AS unread,
        (SELECT COALESCE(SUM(units), 0) FROM messages m
          WHERE m.conversation_id = fresh.conversation_id AND m.task_id IS NULL) AS unread_chars,
        EXISTS (SELECT 1 FROM tasks t WHERE t.conversation_id = fresh.conversation_id AND t.${ACTIVE}) AS is_active,
        (SELECT COUNT(*) FROM tasks t WHERE t.sender = fresh.sender AND t.${ACTIVE}) AS sender_active,
        (SELECT json_object('id', a.id, 'kind', a.kind, 'sender', t.sender, 'approvers', COALESCE(n.policy->>'approvers', 'person'))
          FROM approvals a JOIN tasks t ON t.id = a.task_id LEFT JOIN tenants n ON n.id = t.tenant_id
          WHERE a.conversation_id = fresh.conversation_id AND a.state = 'open' AND a.allows IS NULL
          ORDER BY a.kind = 'question' DESC, a.requested_at LIMIT 1) AS waits
      FROM fresh ORDER BY seq`,
    NewInbound,
  );
}
