/** What is written when somebody, or the time, decides what a call waits for: the row, the receipt, the message that asked, and the wake. */
import sql, { type Sql } from "sql-template-tag";
import type { ApprovalState } from "../../contracts/approval.ts";
import { LIMITS, type Timings } from "../../limits.ts";
import type { Batch } from "../batch.ts";
import { ringAgain } from "./doorbells.ts";
import { ACTIVE } from "./guards.ts";

export interface Deciding {
  /** SQL for the id of one approval. */
  readonly id: Sql;
  readonly state: Exclude<ApprovalState, "open">;
  /** A person or a key; null where nobody decides. */
  readonly by: string | null;
  /** Whose doing it is: what has this key was decided by it. */
  readonly key: string;
  /** SQL for the words of a denial, or the answer. */
  readonly reason: Sql;
  /** The first line of the message that asked, from now on. */
  readonly outcome: string;
  /** What must hold of `approvals`, beside that it is open and its task active. */
  readonly only: Sql;
}

/** The approval was decided by this. */
export const decidedBy = (key: string): Sql =>
  sql`EXISTS (SELECT 1 FROM approvals WHERE decision_key = ${key})`;

/** Adds it; it happens only while the approval is open. The task is rung: its Workflow waits for that. */
export function addDecision(
  batch: Batch,
  { id, state, by, key, reason, outcome, only }: Deciding,
  now: number,
  timings: Timings,
): Batch {
  const mine = sql`SELECT id FROM approvals WHERE decision_key = ${key}`;
  const task = sql`SELECT task_id FROM approvals WHERE decision_key = ${key}`;
  const ringAt = now + timings.doorbell_grace_ms;
  return (
    batch
      .add(
        "decide",
        sql`UPDATE approvals SET state = ${state}, decided_at = ${now}, decided_by = ${by}, decision_key = ${key}, reason = ${reason}
          WHERE id = (${id}) AND state = 'open' AND ${only}
            AND EXISTS (SELECT 1 FROM tasks t WHERE t.id = approvals.task_id AND t.${ACTIVE})`,
      )
      .add(
        "decided",
        sql`INSERT INTO events (task_id, seq, type, turn, call, at, data)
          SELECT a.task_id, COALESCE((SELECT MAX(seq) FROM events WHERE task_id = a.task_id), 0) + 1, 'decided', a.turn, a.call, ${now},
            json_object('approval', a.id, 'state', a.state, 'by', a.decided_by, 'reason', a.reason)
          FROM approvals a WHERE a.decision_key = ${key} AND NOT EXISTS (
            SELECT 1 FROM events e WHERE e.task_id = a.task_id AND e.type = 'decided' AND e.data->>'approval' = a.id)`,
      )
      // Its deadline goes on from here. Whoever reconciles next finds nobody at work on it.
      .add(
        "resume",
        sql`UPDATE tasks SET state = 'running', deadline_at = deadline_at + ${now} - waiting_since, waiting_since = NULL, claimed_until = 0
          WHERE id = (${task}) AND state = 'waiting'`,
      )
      .add(
        "shown",
        sql`UPDATE replies SET final = 1, revision = revision + 1, text = ${outcome} || COALESCE(' ' || (SELECT substr(reason, 1, ${LIMITS.reason_chars_shown}) FROM approvals WHERE decision_key = ${key}), '') || char(10, 10) || text
          WHERE id = (${mine}) AND final = 0`,
      )
      .addRinging(
        "wake",
        sql`INSERT INTO outbox (queue, key, ring_at)
          SELECT 'tasks', task_id, ${ringAt} FROM approvals WHERE decision_key = ${key}
          UNION ALL SELECT 'replies', id, ${ringAt} FROM replies WHERE id IN (${mine} UNION ${task}) AND state = 'open'
          ${ringAgain(ringAt)}`,
      )
  );
}
