/** One tool call: made once, and not for a task that has ended. */
import { beforeAll, beforeEach, expect, it } from "vitest";
import { decodeCodeRequest, encodeCodeForm } from "../../../shared/code-form.ts";
import { TIMINGS } from "../../../shared/limits.ts";
import { claimTurn } from "../../../shared/store/claim-turn.ts";
import { endTask } from "../../../shared/store/end-task.ts";
import { requestPerson } from "../../../shared/store/request-person.ts";
import { storeTurn } from "../../../shared/store/store-turn.ts";
import { act } from "../../../workers/executor/act.ts";
import type { Env } from "../../../workers/executor/env.ts";
import { type Tools, tools } from "../../../workers/executor/tools/index.ts";
import type { ToolContext } from "../../../workers/executor/tools/tool.ts";
import { plannedTurn } from "../builders.ts";
import { openDatabase, rows, startTask } from "../database.ts";

let db: D1Database;
let ran: string[];
let task = 0;
let key = { taskId: "", turn: 1, call: 1 };
const FIRST = { attempt: 1, isBesideWaiting: false };

beforeAll(async () => {
  db = await openDatabase();
});
beforeEach(async () => {
  ran = [];
  const now = Date.now();
  const taskId = await startTask(db, `a${++task}`, now);
  key = { taskId, turn: 1, call: 1 };
  const claim = { taskId, turn: 1, claim: "c" };
  await claimTurn(db, { ...claim, until: now + 1_000 }, now);
  await storeTurn(db, plannedTurn(claim, "", 1), now, TIMINGS);
});

/** An executor whose runner remembers what it ran. */
function executor(): Env {
  const RUNNER = {
    async fetch(url: string, request: RequestInit): Promise<Response> {
      ran.push((await decodeCodeRequest(new Request(url, request))).code);
      const result = {
        kind: "done" as const,
        printed: "",
        value: { shown: "42", json: "42" },
        error: null,
        files: [],
        changes: [],
      };
      return new Response(encodeCodeForm(result));
    },
  };
  return { DB: db, RUNNER } as unknown as Env;
}

it("is made once: a step that is repeated finds it done", async () => {
  expect(await act(executor(), key, FIRST)).toEqual({ kind: "observed", ok: true });
  expect(await act(executor(), key, FIRST)).toEqual({ kind: "observed", ok: true });
  expect(ran).toEqual(["6 * 7"]);
  expect(await rows(db, "SELECT ok, result FROM calls WHERE task_id = ?", key.taskId)).toEqual([
    { ok: 1, result: "42" },
  ]);
});

it("knows where it stands, tells how far it is, and brings back words, files and images", async () => {
  const kept = new Map<string, ArrayBuffer>();
  const bucket = {
    put: (name: string, content: Uint8Array) => Promise.resolve(kept.set(name, content.slice().buffer)),
    get: (name: string) => Promise.resolve(new Response(kept.get(name))),
  } as unknown as R2Bucket;
  const env: Env = { ...executor(), FILES: bucket };
  const file = (name: string) => ({
    name,
    mime: "image/png",
    content: new TextEncoder().encode(name).slice(),
  });
  let context: ToolContext | undefined;
  const screenshot: Tools["run_code"] = async (given) => {
    context = given;
    await given.progress("Half of it is done.");
    return {
      value: null,
      error: null,
      parts: [
        { type: "text", text: "seen" },
        { type: "file", file: file("a.png") },
        { type: "image", image: file("b.png") },
      ],
    };
  };
  await act(env, key, { ...FIRST, attempt: 2 }, { ...tools, run_code: screenshot });
  expect(context).toMatchObject({ ...key, conversationId: `conv_a${task}`, attempt: 2 });
  expect(context?.deadlineAt).toBeGreaterThan(Date.now());
  expect(context?.signal.aborted).toBe(false);
  expect(await rows(db, "SELECT text FROM replies WHERE id = ?", key.taskId)).toEqual([
    { text: "Half of it is done." },
  ]);
  const [call] = await rows<{ result: string; images: string }>(
    db,
    "SELECT result, images FROM calls WHERE task_id = ?",
    key.taskId,
  );
  expect(call?.result).toMatch(/^seen\n\nAttached to the answer[^]*a\.png/);
  const [image] = JSON.parse(call?.images ?? "[]");
  expect(image).toMatchObject({ name: "b.png", mime: "image/png", bytes: 5 });
  expect(new TextDecoder().decode((await context?.readFile(image.sha256)) ?? undefined)).toBe("b.png");
  expect(await rows(db, "SELECT name FROM artifacts WHERE task_id = ?", key.taskId)).toEqual([
    { name: "a.png" },
  ]);
});

it("that waits for a person is made when they have approved it, and not before", async () => {
  await db.prepare("UPDATE calls SET gate = 'rule 1' WHERE task_id = ?").bind(key.taskId).run();
  expect(await act(executor(), key, FIRST)).toEqual({ kind: "inactive" });
  const request = { kind: "approval", text: "x", buttons: [], choices: [], progress: "x" } as const;
  const id = `appr_${key.taskId}`;
  await requestPerson(db, { ...key, ...request, id, expiresAt: Date.now() + 60_000 }, Date.now(), TIMINGS);
  expect(await act(executor(), key, FIRST)).toEqual({ kind: "inactive" });
  expect(ran).toEqual([]);
  await db.prepare("UPDATE approvals SET state = 'approved' WHERE id = ?").bind(id).run();
  expect(await act(executor(), key, FIRST)).toEqual({ kind: "observed", ok: true });
  expect(ran).toEqual(["6 * 7"]);
});

it("is not made for a task that has ended meanwhile", async () => {
  const end = {
    taskId: key.taskId,
    state: "cancelled" as const,
    endedBy: "stop",
    error: null,
    answer: { text: "Stopped." },
  };
  await endTask(db, end, Date.now(), TIMINGS);
  expect(await act(executor(), key, FIRST)).toEqual({ kind: "inactive" });
  expect(ran).toEqual([]);
});

it("is cancelled while it is made, when its task is stopped", async () => {
  const end = { taskId: key.taskId, state: "cancelled" as const, endedBy: "stop", error: null };
  const endless: Tools["run_code"] = async ({ signal }) => {
    await endTask(db, { ...end, answer: { text: "Stopped." } }, Date.now(), TIMINGS);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return { parts: [], value: null, error: "cancelled" };
  };
  const env: Env = { ...executor(), ERRAND_TIMINGS: JSON.stringify({ stop_look_ms: 20 }) };
  expect(await act(env, key, FIRST, { ...tools, run_code: endless })).toEqual({ kind: "inactive" });
  expect(await rows(db, "SELECT ok FROM calls WHERE task_id = ?", key.taskId)).toEqual([{ ok: null }]);
});

it("changes the workspace once, however often its step is repeated", async () => {
  const bucket = new Map<string, ArrayBuffer>();
  const FILES = {
    put: (name: string, content: Uint8Array) => Promise.resolve(bucket.set(name, content.slice().buffer)),
    get: (name: string) => Promise.resolve(bucket.has(name) ? new Response(bucket.get(name)) : null),
  } as unknown as R2Bucket;
  const env: Env = { ...executor(), FILES };
  const make = async (input: object) => {
    await db
      .prepare("UPDATE calls SET tool = 'files', input = ?, ok = NULL, changed = NULL WHERE task_id = ?")
      .bind(JSON.stringify(input), key.taskId)
      .run();
    const said: string[] = [];
    for (let nth = 0; nth < 2; nth++) {
      await act(env, key, FIRST);
      const [call] = await rows<{ result: string }>(
        db,
        "SELECT result FROM calls WHERE task_id = ?",
        key.taskId,
      );
      said.push(call?.result ?? "");
      // As if nobody had heard of its end.
      await db.prepare("UPDATE calls SET ok = NULL, result = NULL WHERE task_id = ?").bind(key.taskId).run();
    }
    return said;
  };
  const made = await make({ op: "write", path: "a", text: "list:\n" });
  expect(made).toEqual(["a has 6 bytes now.", "a has 6 bytes now."]);
  await make({ op: "edit", path: "a", find: "list:\n", replace: "list:\n- item\n" });
  expect((await make({ op: "read", path: "a" }))[0]).toBe("list:\n- item\n");
  expect(await make({ op: "move", path: "a", to: "b" })).toEqual(["a is b now.", "a is b now."]);
  expect(await make({ op: "delete", path: "b" })).toEqual(["b is deleted.", "b is deleted."]);
});
