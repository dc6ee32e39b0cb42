/** Images that tools brought back, for models to see. */
import sql from "sql-template-tag";
import type { CallKey } from "../contracts/turn.ts";
import { prepare } from "./batch.ts";

/** The model does not take those of these calls: they are shown to none again. */
export async function dropImages(db: D1Database, calls: readonly CallKey[]): Promise<void> {
  const keys = calls.map(({ taskId, turn, call }) => ({ taskId, turn, call }));
  await prepare(
    db,
    sql`UPDATE calls SET images = '[]' WHERE (task_id, turn, call) IN (
      SELECT value->>'taskId', value->>'turn', value->>'call' FROM json_each(${JSON.stringify(keys)}))`,
  ).run();
}
