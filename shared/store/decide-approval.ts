/** Approvals and questions over the API: listed, read, decided. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { ApprovalKind, ApprovalState, type Decided } from "../contracts/approval.ts";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { Batch, jsonColumn } from "./batch.ts";
import { type Found, type NotFound, readList, type Refused, readOutcome } from "./outcome.ts";
import { addDecision } from "./statements/approvals.ts";
import { type Caller, findKey, isAdmin, makeKeySender, taskVisible } from "./statements/guards.ts";

const Row = z.object({
  id: z.string(),
  task_id: z.string(),
  turn: z.int(),
  call: z.int(),
  kind: ApprovalKind,
  state: ApprovalState,
  text: z.string(),
  choices: jsonColumn(z.array(z.string())),
  requested_at: z.int(),
  expires_at: z.int(),
  decided_at: z.nullable(z.int()),
  decided_by: z.nullable(z.string()),
  reason: z.nullable(z.string()),
});
export type Approval = z.infer<typeof Row>;

/** Those of tasks that the caller may see. */
const selectVisible = (caller: Caller, which: Sql) =>
  sql`SELECT a.id, a.task_id, a.turn, a.call, a.kind, a.state, a.text, a.choices, a.requested_at, a.expires_at, a.decided_at,
      a.decided_by, a.reason
    FROM tasks t JOIN approvals a ON a.task_id = t.id WHERE ${taskVisible(caller, "t")} AND ${which}`;

export async function listApprovals(
  db: D1Database,
  caller: Caller,
  state: ApprovalState | null,
): Promise<Found<Approval[]> | Refused> {
  const which = state === null ? sql`true` : sql`a.state = ${state}`;
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "approvals",
      sql`${selectVisible(caller, which)} ORDER BY a.requested_at DESC LIMIT ${LIMITS.approvals_page_max}`,
    )
    .run(db);
  return readList(results, "approvals", Row);
}

export async function readApproval(
  db: D1Database,
  caller: Caller,
  id: string,
): Promise<Found<Approval> | NotFound | Refused> {
  const results = await new Batch()
    .add("key", findKey(caller))
    .add("approval", selectVisible(caller, sql`a.id = ${id}`))
    .run(db);
  return readOutcome(results, "approval", Row);
}

export interface ApiDecision {
  readonly caller: Caller;
  readonly id: string;
  readonly verdict: Decided;
  readonly outcome: string;
  /** Of this request: what has it was decided by it. */
  readonly key: string;
}

export type DecidedApproval =
  | Refused
  | NotFound
  | { kind: "done"; isMine: boolean; approval: Approval; doorbells: PendingDoorbell[] };

/** A question of a task is answered by whoever submitted it, or by `approvals`; an approval needs that scope, for who asks does not approve. What is spent beyond a cap takes an admin. */
export async function decideApproval(
  db: D1Database,
  { caller, id, verdict, outcome, key }: ApiDecision,
  now: number,
  timings: Timings,
): Promise<DecidedApproval> {
  const isAnswer = verdict.state === "answered";
  const approver = { ...caller, scopes: isAnswer ? caller.scopes : (["approvals"] as const) };
  const only = sql`expires_at > ${now} AND kind = ${isAnswer ? "question" : "approval"} AND (allows IS NULL OR ${isAdmin(caller)})
    AND EXISTS (SELECT 1 FROM tasks t WHERE t.id = approvals.task_id AND ${taskVisible(approver, "t")})`;
  const by = makeKeySender(caller);
  const reason = "text" in verdict ? verdict.text : null;
  const deciding = { id: sql`${id}`, state: verdict.state, by, key, reason: sql`${reason}`, outcome, only };
  const results = await addDecision(new Batch().add("key", findKey(approver)), deciding, now, timings)
    .add("approval", selectVisible(approver, sql`a.id = ${id}`))
    .run(db);
  const approval = readOutcome(results, "approval", Row);
  if (approval.kind !== "ok") return approval;
  return {
    kind: "done",
    isMine: results.changes("decide") === 1,
    approval: approval.value,
    doorbells: results.doorbells(),
  };
}
