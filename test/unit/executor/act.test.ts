/** One tool call: made once, and not for a task that has ended. */
import { beforeAll, beforeEach, expect, it } from "vitest";
import { formOf } from "../../../shared/code-form.ts";
import { CodeRequest } from "../../../shared/contracts/code.ts";
import { TIMINGS } from "../../../shared/limits.ts";
import { endTask } from "../../../shared/store/end.ts";
import { claimTurn, storeTurn } from "../../../shared/store/turns.ts";
import { act } from "../../../workers/executor/act.ts";
import type { Env } from "../../../workers/executor/env.ts";
import { turnOf } from "../builders.ts";
import { openDatabase, rows, startTask } from "../database.ts";

let db: D1Database;
let ran: string[];
let task = 0;
let key = { taskId: "", n: 1, k: 1 };
beforeAll(async () => {
  db = await openDatabase();
});
beforeEach(async () => {
  ran = [];
  const now = Date.now();
  const taskId = await startTask(db, `a${++task}`, now);
  key = { taskId, n: 1, k: 1 };
  await claimTurn(db, { taskId, n: 1, claim: "c", until: now + 1_000, now });
  await storeTurn(db, {
    taskId,
    n: 1,
    claim: "c",
    turn: turnOf("", 1),
    untold: "",
    files: [],
    read: [],
    latencyMs: 1,
    until: now,
    now,
  });
});

/** An executor whose runner remembers what it ran. */
function executor(): Env {
  const RUNNER = {
    fetch(_: string, { body }: { body: string }): Promise<Response> {
      ran.push(CodeRequest.parse(JSON.parse(body)).code);
      const result = { kind: "done" as const, printed: "", value: "42", error: null, files: [] };
      return Promise.resolve(new Response(formOf(result)));
    },
  };
  return { DB: db, RUNNER } as unknown as Env;
}

it("is made once: a step that is repeated finds it done", async () => {
  expect(await act(executor(), key, 1)).toEqual({ kind: "observed", ok: true });
  expect(await act(executor(), key, 1)).toEqual({ kind: "observed", ok: true });
  expect(ran).toEqual(["6 * 7"]);
  expect(await rows(db, "SELECT ok, result FROM calls WHERE task_id = ?", key.taskId)).toEqual([
    { ok: 1, result: "42" },
  ]);
});

it("is not made for a task that has ended meanwhile", async () => {
  const end = {
    taskId: key.taskId,
    state: "cancelled" as const,
    endedBy: "stop",
    answer: { text: "Stopped." },
  };
  await endTask(db, end, Date.now(), TIMINGS);
  expect(await act(executor(), key, 1)).toEqual({ kind: "inactive" });
  expect(ran).toEqual([]);
});
