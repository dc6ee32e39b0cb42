/** Reconciling a task when the Workflow engine refuses: nobody has to wait for a claim that nobody uses. */
import { beforeAll, expect, it } from "vitest";
import type { Env } from "../../../workers/executor/env.ts";
import { reconcile } from "../../../workers/executor/reconcile.ts";
import { openDatabase, startTask } from "../database.ts";

let db: D1Database;
beforeAll(async () => {
  db = await openDatabase();
});

/** An executor whose engine fails so often, then creates. */
function executor(failures: number, created: string[]): Env {
  let left = failures;
  const create = ({ id }: { id: string }) => {
    if (left-- > 0) return Promise.reject(new Error("the engine is down"));
    created.push(id);
    return Promise.resolve({ id });
  };
  return { DB: db, TASK_WORKFLOW: { create } } as unknown as Env;
}

it("lets go of its claim when no instance can be made, and makes one at the next look, once", async () => {
  await startTask(db, "l", Date.now());
  const created: string[] = [];
  const env = executor(1, created);
  await expect(reconcile(env, ["task_l"])).rejects.toThrow("the engine is down");
  await reconcile(env, ["task_l"]);
  await reconcile(env, ["task_l"]);
  expect(created).toEqual(["task_l"]);
});
