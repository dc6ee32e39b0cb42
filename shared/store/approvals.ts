/** What calls wait for: what was decided, what is due, and what their tasks have left open. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { ApprovalKind, ApprovalState } from "../contracts/approval.ts";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { Timings } from "../limits.ts";
import { Batch, prepare, select } from "./batch.ts";
import { addDecision } from "./statements/approvals.ts";

const Decision = z.object({
  kind: ApprovalKind,
  state: ApprovalState,
  reason: z.nullable(z.string()),
  by: z.nullable(z.string()),
});
export type Decision = z.infer<typeof Decision>;

/** What has become of it. Undefined: it was never asked, for its task has ended. */
export async function readDecision(db: D1Database, id: string): Promise<Decision | undefined> {
  const [row] = await select(
    db,
    sql`SELECT kind, state, reason, decided_by AS by FROM approvals WHERE id = ${id}`,
    Decision,
  );
  return row;
}

/** The Workflow was told; if it did not hear, it is revived as any other. */
export async function markWoken(db: D1Database, ids: readonly string[], now: number): Promise<void> {
  await prepare(
    db,
    sql`UPDATE approvals SET woken_at = ${now} WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
  ).run();
}

const Due = z.object({ id: z.string(), allows: z.nullable(z.string()) });

/** Expires what of a task is due, by D1's clock alone: to the call that is a denial. */
export async function expireApprovals(
  db: D1Database,
  taskId: string,
  outcomes: { readonly call: string; readonly spending: string },
  now: number,
  timings: Timings,
): Promise<PendingDoorbell[]> {
  const due = await select(
    db,
    sql`SELECT id, allows FROM approvals WHERE task_id = ${taskId} AND state = 'open' AND expires_at <= ${now}`,
    Due,
  );
  const rung: PendingDoorbell[] = [];
  for (const { id, allows } of due) {
    const only = sql`expires_at <= ${now}`;
    const expired = {
      state: "expired" as const,
      by: null,
      key: `expired:${id}`,
      reason: sql`NULL`,
      outcome: allows === null ? outcomes.call : outcomes.spending,
      only,
    };
    const results = await addDecision(new Batch(), { id: sql`${id}`, ...expired }, now, timings).run(db);
    rung.push(...results.doorbells());
  }
  return rung;
}

/** Closes what a task that has ended has left open: nobody can decide it any more. The message that asked says so. */
export async function dropApprovals(
  db: D1Database,
  taskId: string,
  outcome: string,
  now: number,
  timings: Timings,
): Promise<PendingDoorbell[]> {
  const ringAt = now + timings.doorbell_grace_ms;
  const dropped = sql`SELECT id FROM approvals WHERE task_id = ${taskId} AND state = 'dropped'`;
  const results = await new Batch()
    .add(
      "events",
      sql`INSERT INTO events (task_id, seq, type, turn, call, at, data)
        SELECT task_id, COALESCE((SELECT MAX(seq) FROM events WHERE task_id = ${taskId}), 0) + ROW_NUMBER() OVER (ORDER BY turn, call),
          'decided', turn, call, ${now}, json_object('approval', id, 'state', 'dropped', 'by', NULL, 'reason', NULL)
        FROM approvals WHERE task_id = ${taskId} AND state = 'open'`,
    )
    .add(
      "drop",
      sql`UPDATE approvals SET state = 'dropped', decided_at = ${now} WHERE task_id = ${taskId} AND state = 'open'`,
    )
    .add(
      "shown",
      sql`UPDATE replies SET final = 1, revision = revision + 1, text = ${`${outcome}\n\n`} || text
        WHERE id IN (${dropped}) AND final = 0`,
    )
    .addRinging(
      "ring",
      sql`INSERT INTO outbox (queue, key, ring_at)
        SELECT 'replies', id, ${ringAt} FROM replies WHERE id IN (${dropped}) AND state = 'open' AND final = 1
        ON CONFLICT DO UPDATE SET version = version + 1, ring_at = excluded.ring_at RETURNING queue, key`,
    )
    .run(db);
  return results.doorbells();
}

/** Puts the doorbell of a waiting task off until its first request expires, unless somebody rang it meanwhile. */
export async function pauseWaiting(
  db: D1Database,
  { taskId, version }: { taskId: string; version: number },
  now: number,
  { backoff_ms_max }: Timings,
): Promise<void> {
  const first = sql`(SELECT MIN(expires_at) FROM approvals WHERE task_id = ${taskId} AND state = 'open')`;
  await prepare(
    db,
    sql`UPDATE outbox SET rings = 0, ring_at = COALESCE(${first}, ${now + backoff_ms_max})
      WHERE queue = 'tasks' AND key = ${taskId} AND version = ${version}`,
  ).run();
}
