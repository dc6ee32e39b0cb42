/** Asking a person before a call is made. Asked again, it changes nothing: a call is asked about once. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import type { ApprovalKind } from "../contracts/approval.ts";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import { ToolCall } from "../contracts/tools/index.ts";
import type { CallKey } from "../contracts/turn.ts";
import type { Timings } from "../limits.ts";
import { Batch, jsonColumn, select } from "./batch.ts";
import { ringNew } from "./statements/doorbells.ts";
import { ACTIVE, claimHeld, taskActive, type TurnClaim } from "./statements/guards.ts";
import { addWaiting } from "./statements/waiting.ts";

const Gated = z.object({ tool: z.string(), input: jsonColumn(z.unknown()), gate: z.string() });

/** The call that waits for a person, and why; null when it does not, or its task has ended. */
export async function readGated(
  db: D1Database,
  { taskId, turn, call }: CallKey,
): Promise<{ made: ToolCall; gate: string } | null> {
  const [row] = await select(
    db,
    sql`SELECT c.tool, c.input, c.gate FROM calls c JOIN tasks t ON t.id = c.task_id
      WHERE c.task_id = ${taskId} AND c.turn = ${turn} AND c.call = ${call} AND c.gate IS NOT NULL AND t.${ACTIVE}`,
    Gated,
  );
  return row === undefined
    ? null
    : { made: ToolCall.parse({ tool: row.tool, input: row.input }), gate: row.gate };
}

export interface Request extends CallKey {
  readonly id: string;
  readonly kind: ApprovalKind;
  /** Markdown. */
  readonly text: string;
  readonly buttons: readonly { readonly label: string; readonly data: string }[];
  readonly choices: readonly string[];
  /** What is shown as the task's progress. */
  readonly progress: string;
  readonly expiresAt: number;
  /** It is about what a turn may cost, and asked by whoever plans it: what it allows the task beyond its caps, in all. */
  readonly raise?: {
    readonly claim: TurnClaim;
    readonly allows: { readonly tokens: number; readonly micro_usd: number };
  };
}

export async function requestPerson(
  db: D1Database,
  request: Request,
  now: number,
  timings: Timings,
): Promise<PendingDoorbell[]> {
  const { id, taskId, turn, call, kind, text, buttons, choices, progress, expiresAt, raise } = request;
  const allows = raise === undefined ? null : JSON.stringify(raise.allows);
  const isMine = raise === undefined ? sql`true` : claimHeld(raise.claim);
  const isNew = sql`NOT EXISTS (SELECT 1 FROM approvals WHERE id = ${id}) AND ${taskActive(taskId)} AND ${isMine}`;
  const isOpen = sql`EXISTS (SELECT 1 FROM approvals WHERE id = ${id} AND state = 'open')`;
  const batch = new Batch()
    .add(
      "event",
      sql`INSERT INTO events (task_id, seq, type, turn, call, at, data)
        SELECT ${taskId}, COALESCE((SELECT MAX(seq) FROM events WHERE task_id = ${taskId}), 0) + 1, 'requested', ${turn}, ${call}, ${now},
          json_object('approval', ${id}, 'kind', ${kind}, 'expires_at', ${expiresAt}) WHERE ${isNew}`,
    )
    .add(
      "approval",
      sql`INSERT INTO approvals (id, tenant_id, conversation_id, task_id, turn, call, kind, text, choices, requested_at, expires_at, allows)
        SELECT ${id}, tenant_id, conversation_id, id, ${turn}, ${call}, ${kind}, ${text}, ${JSON.stringify(choices)}, ${now}, ${expiresAt}, ${allows}
        FROM tasks WHERE id = ${taskId} AND ${isNew} ON CONFLICT DO NOTHING`,
    )
    .add(
      "message",
      sql`INSERT INTO replies (id, tenant_id, conversation_id, text, buttons, answers_id, created_at)
        SELECT a.id, a.tenant_id, a.conversation_id, a.text, ${JSON.stringify(buttons)}, r.answers_id, ${now}
        FROM approvals a JOIN conversations c ON c.id = a.conversation_id LEFT JOIN replies r ON r.id = a.task_id
        WHERE a.id = ${id} AND a.state = 'open' AND c.channel <> 'api' ON CONFLICT DO NOTHING`,
    )
    .add(
      "progress",
      sql`UPDATE replies SET text = ${progress}, revision = revision + 1 WHERE id = ${taskId} AND final = 0 AND ${isOpen}`,
    );
  // The turn waits, too: it is planned when somebody has decided, by whoever comes first.
  if (raise !== undefined)
    batch.add(
      "turn",
      sql`UPDATE turns SET claimed_until = 0 WHERE task_id = ${taskId} AND turn = ${turn} AND text IS NULL AND ${isOpen}`,
    );
  return (
    await addWaiting(batch, taskId, now)
      .addRinging(
        "ring",
        ringNew(
          "replies",
          sql`SELECT id AS key FROM replies WHERE id = ${id} AND state = 'open' AND final = 0`,
          now + timings.doorbell_grace_ms,
        ),
      )
      .run(db)
  ).doorbells();
}
