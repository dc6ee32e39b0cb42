/**
 * Counting what models cost. `spending` and `tasks.spent_*` hold what is counted: of a call under way what it may cost at most, and in
 * the end what it did cost. Whoever changes a reservation changes them by the difference, in the same batch.
 */
import sql, { type Sql } from "sql-template-tag";
import type { Batch } from "../batch.ts";

/** The sender in whose name everybody's spending is counted together. */
export const EVERYBODY = "";

export interface Spent {
  readonly tokens: number;
  readonly microUsd: number;
}

/** Adds differences to what is counted: SQL over `reservations r`, for those of them that `which` names. */
export function addRecount(
  batch: Batch,
  which: Sql,
  { tokens, microUsd }: { tokens: Sql; microUsd: Sql },
): Batch {
  return batch
    .add(
      "days",
      sql`INSERT INTO spending (tenant_id, sender, day, tokens, micro_usd)
        SELECT r.tenant_id, s.value, r.day, SUM(${tokens}), SUM(${microUsd})
        FROM reservations r JOIN json_each(json_array(r.sender, ${EVERYBODY})) s WHERE ${which} GROUP BY 1, 2, 3
        ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens, micro_usd = micro_usd + excluded.micro_usd`,
    )
    .add(
      "tasks",
      sql`UPDATE tasks SET
          spent_tokens = spent_tokens + (SELECT SUM(${tokens}) FROM reservations r WHERE ${which} AND r.task_id = tasks.id),
          spent_micro_usd = spent_micro_usd + (SELECT SUM(${microUsd}) FROM reservations r WHERE ${which} AND r.task_id = tasks.id)
        WHERE id IN (SELECT r.task_id FROM reservations r WHERE ${which})`,
    );
}

/** Adds what makes of a reservation what its call did cost; settled twice, it changes nothing more. */
export function addSettle(batch: Batch, claim: string, { tokens, microUsd }: Spent): Batch {
  const difference = { tokens: sql`${tokens} - r.tokens`, microUsd: sql`${microUsd} - r.micro_usd` };
  const settling = batch.within("settle");
  addRecount(settling, sql`r.claim = ${claim}`, difference).add(
    "reservation",
    sql`DELETE FROM reservations WHERE claim = ${claim}`,
  );
  return batch;
}
