/** Claiming a turn, before anybody is asked: a repeated turn sees the same messages, and an ended task swallows none. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { ChannelName } from "../contracts/channel.ts";
import { isFinal, TaskState } from "../contracts/task.ts";
import { LIMITS } from "../limits.ts";
import { DEFAULT_POLICY, Policy } from "../policy/policy.ts";
import { Batch, jsonColumn } from "./batch.ts";
import { ACTIVE, claimHeld, type TurnClaim } from "./statements/guards.ts";
import { heartbeat } from "./statements/heartbeat.ts";
import { addTranscript, type Transcript, type TranscriptCall, readTranscript } from "./transcript.ts";

const Row = z.object({
  state: TaskState,
  conversation_id: z.string(),
  tenant_id: z.string(),
  channel: ChannelName,
  sender: z.nullable(z.string()),
  nonce: z.string(),
  policy: z.nullable(jsonColumn(Policy)),
  /** Null: the turn was never claimed, for its task had ended. */
  claim: z.nullable(z.string()),
  claimed_until: z.nullable(z.int()),
  text: z.nullable(z.string()),
});

export type ClaimedTurn =
  | { kind: "claimed"; transcript: Transcript }
  /** Somebody has planned it before. */
  | { kind: "stored"; calls: TranscriptCall[] }
  | { kind: "busy"; until: number }
  | { kind: "inactive"; state: TaskState | null };

/**
 * Claims the turn and, in the same batch, the oldest of what is unread in the conversation, as much as a prompt has room for and at
 * least one, but only while the task is active.
 */
export async function claimTurn(
  db: D1Database,
  claim: TurnClaim & { readonly until: number },
  now: number,
): Promise<ClaimedTurn> {
  const { taskId, turn, claim: name, until } = claim;
  const batch = new Batch()
    // Only while active: everything after it asks for the claim.
    .add(
      "claim",
      sql`INSERT INTO turns (task_id, turn, claim, claimed_until)
        SELECT id, ${turn}, ${name}, ${until} FROM tasks WHERE id = ${taskId} AND ${ACTIVE}
        ON CONFLICT (task_id, turn) DO UPDATE SET claim = excluded.claim, claimed_until = excluded.claimed_until
        WHERE turns.text IS NULL AND turns.claimed_until <= ${now}`,
    )
    // A turn whose cost somebody has said no to ends its task: what was said meanwhile begins the next.
    .add(
      "read",
      sql`UPDATE messages SET task_id = ${taskId}, turn = ${turn}
        WHERE seq IN (
          SELECT seq FROM (SELECT seq, ROW_NUMBER() OVER w AS nth, SUM(units) OVER w AS chars FROM messages
            WHERE task_id IS NULL AND conversation_id = (SELECT conversation_id FROM tasks WHERE id = ${taskId})
            WINDOW w AS (ORDER BY seq))
          WHERE nth = 1 OR (nth <= ${LIMITS.turn_messages_max} AND chars <= ${LIMITS.turn_unread_chars_max}))
          AND ${claimHeld(claim)}
          AND NOT EXISTS (SELECT 1 FROM approvals a
            WHERE a.task_id = ${taskId} AND a.turn = ${turn} AND a.call = 0 AND a.state IN ('denied', 'expired'))`,
    )
    .add("heartbeat", heartbeat(taskId, until))
    .add(
      "task",
      sql`SELECT t.state, t.conversation_id, t.tenant_id, t.sender, t.nonce, n.policy, c.channel, u.claim, u.claimed_until, u.text
        FROM tasks t JOIN conversations c ON c.id = t.conversation_id
        LEFT JOIN tenants n ON n.id = t.tenant_id LEFT JOIN turns u ON u.task_id = t.id AND u.turn = ${turn} WHERE t.id = ${taskId}`,
    );
  const results = await addTranscript(batch, taskId).run(db);
  const row = results.row("task", Row);
  if (row === undefined || row.claim === null || isFinal(row.state))
    return { kind: "inactive", state: row?.state ?? null };
  const known = readTranscript(results);
  if (row.text !== null) {
    const calls = known.calls.filter((call) => call.taskId === taskId && call.turn === turn);
    return { kind: "stored", calls };
  }
  if (row.claim !== name) return { kind: "busy", until: row.claimed_until ?? 0 };
  const { tenant_id: tenantId, conversation_id: conversationId, channel, sender, nonce } = row;
  const policy = row.policy ?? DEFAULT_POLICY;
  return {
    kind: "claimed",
    transcript: { tenantId, channel, conversationId, sender, nonce, policy, ...known },
  };
}
