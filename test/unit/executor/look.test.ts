/** Looking at a task when the Workflow engine refuses: nobody has to wait for a claim that nobody uses. */
import { beforeAll, expect, it } from "vitest";
import { TIMINGS } from "../../../shared/limits.ts";
import { addApiKey } from "../../../shared/store/api-keys.ts";
import { createTask } from "../../../shared/store/api.ts";
import type { Env } from "../../../workers/executor/env.ts";
import { look } from "../../../workers/executor/look.ts";
import { openDatabase } from "../database.ts";

let db: D1Database;
beforeAll(async () => {
  db = await openDatabase();
  await addApiKey(db, { hash: "h", tenantId: "default", label: "test", now: 1 });
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
  const ids = { taskId: "task_l", messageId: "msg_l", conversationId: "conv_l" };
  const task = { keyHash: "h", tenantId: "default", ...ids, address: '{"chatId":"l"}' };
  await createTask(db, { ...task, content: { type: "text", text: "x" } }, Date.now(), TIMINGS);
  const created: string[] = [];
  const env = executor(1, created);
  await expect(look(env, ["task_l"])).rejects.toThrow("the engine is down");
  await look(env, ["task_l"]);
  await look(env, ["task_l"]);
  expect(created).toEqual(["task_l"]);
});
