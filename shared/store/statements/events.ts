/** Writing the receipt. An event stands before the update that it tells of, under the same guard: only who makes the difference tells. */
import sql, { type Sql } from "sql-template-tag";
import type { EventContent } from "../../contracts/event.ts";

/** The number of a task's next event, as SQL; `taskId` is SQL for the task's id. */
const nextSeq = (taskId: Sql) =>
  sql`COALESCE((SELECT MAX(seq) FROM events WHERE task_id = ${taskId}), 0) + 1`;

/** Appends an event of a task while `guard` holds. */
export function appendEvent(taskId: string, event: EventContent, at: number, guard: Sql): Sql {
  const { type, turn, call, attempt, data } = event;
  return sql`INSERT INTO events (task_id, seq, type, turn, call, attempt, at, data)
    SELECT ${taskId}, ${nextSeq(sql`${taskId}`)}, ${type}, ${turn}, ${call}, ${attempt}, ${at}, ${JSON.stringify(data)}
    WHERE ${guard}`;
}

/**
 * Appends several events in their order, each while `guard` holds; `more` is what else a row must meet, as SQL over its JSON
 * in `value`.
 */
export function appendEvents(
  taskId: string,
  events: readonly EventContent[],
  at: number,
  guard: Sql,
  more: Sql = sql`true`,
): Sql {
  const rows = events.map(({ data, ...event }) => ({ ...event, data: JSON.stringify(data) }));
  return sql`INSERT INTO events (task_id, seq, type, turn, call, attempt, at, data)
    SELECT ${taskId}, ${nextSeq(sql`${taskId}`)} + key, value->>'type', value->>'turn', value->>'call', value->>'attempt', ${at}, value->>'data'
    FROM json_each(${JSON.stringify(rows)}) WHERE ${guard} AND ${more} ORDER BY key`;
}

/** An event of the whole task. */
export const NOWHERE = { turn: null, call: null, attempt: null };
