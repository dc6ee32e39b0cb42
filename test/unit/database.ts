/** The real D1 of this test file, migrated. */
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TIMINGS } from "../../shared/limits.ts";
import { submitTask } from "../../shared/store/submit-task.ts";
import { addFirstKey } from "../../shared/store/api-keys.ts";
import { ADDRESS, CALLER } from "./builders.ts";

interface TestEnv {
  DB: D1Database;
  MIGRATIONS: D1Migration[];
}

export async function openDatabase(): Promise<D1Database> {
  const { DB, MIGRATIONS } = env as unknown as TestEnv;
  await applyD1Migrations(DB, MIGRATIONS);
  return DB;
}

/** A queued task of its own conversation: `task_<name>`, begun by `msg_<name>` in `conv_<name>`. Returns its id. */
export async function startTask(db: D1Database, name: string, now: number): Promise<string> {
  await addFirstKey(db, { hash: "h", tenantId: "default", label: "test", now: 1 });
  const ids = { taskId: `task_${name}`, messageId: `msg_${name}`, conversationId: `conv_${name}` };
  const task = { caller: CALLER, tenantId: "default", ...ids, address: ADDRESS };
  await submitTask(db, { ...task, content: { type: "text", text: "x" } }, now, TIMINGS);
  return ids.taskId;
}

export async function rows<Row>(db: D1Database, sql: string, ...bindings: unknown[]): Promise<Row[]> {
  const { results } = await db
    .prepare(sql)
    .bind(...bindings)
    .all<Row>();
  return results;
}
