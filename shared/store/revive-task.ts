/** Reviving a task that nobody has heard of: counted, told on the receipt, and not done for ever. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { Batch } from "./batch.ts";
import { ACTIVE } from "./statements/guards.ts";

/** `stuck`: it was revived as often as that is done without a step forward; or it has ended meanwhile. */
export type Revived = { kind: "revived"; nth: number } | { kind: "stuck" };

/** Counts a revival, anew where something has happened since the last one. `status` is what had become of its Workflow. */
export async function reviveTask(
  db: D1Database,
  { taskId, status }: { taskId: string; status: string },
  now: number,
): Promise<Revived> {
  const newest = sql`(SELECT COALESCE(MAX(seq), 0) FROM events WHERE task_id = ${taskId})`;
  const results = await new Batch()
    .add(
      "revive",
      sql`UPDATE tasks SET revivals = CASE WHEN ${newest} > revived_seq THEN 1 ELSE revivals + 1 END, revived_seq = ${newest} + 1
        WHERE id = ${taskId} AND ${ACTIVE} AND (${newest} > revived_seq OR revivals < ${LIMITS.revivals_max}) RETURNING revivals AS nth`,
    )
    .add(
      "event",
      sql`INSERT INTO events (task_id, seq, type, at, data)
        SELECT id, revived_seq, 'revived', ${now}, json_object('status', ${status}, 'nth', revivals)
        FROM tasks WHERE id = ${taskId} AND ${ACTIVE} AND revived_seq > ${newest}`,
    )
    .run(db);
  const row = results.row("revive", z.object({ nth: z.int() }));
  return row === undefined ? { kind: "stuck" } : { kind: "revived", nth: row.nth };
}
