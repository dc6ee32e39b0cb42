/** Reconciling a task when the Workflow engine refuses, or does not get on. */
import { beforeAll, describe, expect, it } from "vitest";
import { expireClaims } from "../../../shared/store/outbox.ts";
import { claimTurn } from "../../../shared/store/claim-turn.ts";
import { narrate } from "../../../shared/store/narrate.ts";
import { releaseTask } from "../../../shared/store/claim-tasks.ts";
import type { Env } from "../../../workers/executor/env.ts";
import { reconcile } from "../../../workers/executor/reconcile.ts";
import { openDatabase, rows, startTask } from "../database.ts";

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

describe("a task whose Workflow comes to nothing each time", () => {
  /** Its instance is there, and has failed. */
  function stranded() {
    let revivals = 0;
    const instance = {
      status: () => Promise.resolve({ status: "errored" }),
      restart: () => Promise.resolve(void revivals++),
      terminate: () => Promise.resolve(),
    };
    const engine = {
      create: () => Promise.reject(new Error("instance.already_exists")),
      get: () => Promise.resolve(instance),
    };
    const queue = { sendBatch: () => Promise.resolve() };
    const env = { DB: db, TASKS: queue, REPLIES: queue, TASK_WORKFLOW: engine } as unknown as Env;
    return {
      look: async (taskId: string) => {
        await releaseTask(db, taskId);
        await reconcile(env, [taskId]);
        return revivals;
      },
    };
  }
  const eventsOf = (taskId: string) =>
    rows<{ type: string; data: string }>(
      db,
      "SELECT type, data FROM events WHERE task_id = ? AND type IN ('revived', 'ended')",
      taskId,
    );
  const stateOf = async (taskId: string) =>
    (await rows<{ state: string }>(db, "SELECT state FROM tasks WHERE id = ?", taskId))[0]?.state;

  it("is revived three times, and then fails, is put aside, and starts what waits behind it", async () => {
    await startTask(db, "r", Date.now());
    await db
      .prepare(
        "INSERT INTO messages (id, conversation_id, content, starts_task_id, created_at) VALUES ('msg_r2', 'conv_r', '{}', 'task_r2', 1)",
      )
      .run();
    const { look } = stranded();
    expect([await look("task_r"), await look("task_r"), await look("task_r")]).toEqual([1, 2, 3]);
    expect(await stateOf("task_r")).toBe("queued");
    expect(await look("task_r")).toBe(3);
    expect((await eventsOf("task_r")).map(({ type, data }) => [type, JSON.parse(data).nth])).toEqual([
      ["revived", 1],
      ["revived", 2],
      ["revived", 3],
      ["ended", undefined],
    ]);
    expect(await stateOf("task_r")).toBe("failed");
    const parked = "SELECT parked_reason AS reason FROM outbox WHERE queue = 'tasks' AND key = 'task_r'";
    expect(await rows(db, parked)).toEqual([{ reason: "revived 3 times without a step forward" }]);
    expect(await stateOf("task_r2")).toBe("queued");
  });

  it("is given as much time as it needs while it gets on", async () => {
    await startTask(db, "s", Date.now());
    const claim = { taskId: "task_s", turn: 1, claim: "c" };
    await claimTurn(db, { ...claim, until: 1 }, 0);
    const { look } = stranded();
    for (let nth = 0; nth < 3; nth++) await look("task_s");
    // The model speaks, or only thinks: the claim is renewed.
    await narrate(db, { ...claim, delta: "", shown: "", read: 0, written: 0, until: 1 }, 1);
    for (let nth = 0; nth < 3; nth++) await look("task_s");
    await narrate(db, { ...claim, delta: "word", shown: "", read: 0, written: 0, until: 1 }, 1);
    for (let nth = 0; nth < 3; nth++) await look("task_s");
    expect(await stateOf("task_s")).toBe("running");
    await look("task_s");
    expect(await stateOf("task_s")).toBe("failed");
  });

  it("is not blamed for the end of its process", async () => {
    await startTask(db, "u", Date.now());
    const { look } = stranded();
    for (let nth = 0; nth < 2; nth++) await look("task_u");
    for (let nth = 0; nth < 5; nth++) {
      await expireClaims(db, Date.now());
      await look("task_u");
    }
    expect(await stateOf("task_u")).toBe("queued");
    await look("task_u");
    await look("task_u");
    expect(await stateOf("task_u")).toBe("failed");
  });
});
