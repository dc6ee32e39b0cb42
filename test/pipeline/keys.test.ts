/** API keys: each may do what it was made for, until it expires or is revoked, and sees no more than it should. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KeyPage, MadeKey } from "../../shared/contracts/api.ts";
import { sha256Hex } from "../../shared/ids.ts";
import { API_KEY, type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";

let pipeline: Pipeline;
let state: string;
beforeAll(async () => {
  pipeline = await openPipeline();
  state = await mkdtemp(join(tmpdir(), "errand-keys-"));
  await writeFile(join(state, "local.json"), JSON.stringify({ url: pipeline.url, apiKey: API_KEY }));
});
afterAll(async () => {
  await pipeline.close();
  await rm(state, { recursive: true, force: true });
});

const make = async (...scopes: string[]) =>
  (await pipeline.api<MadeKey>("POST", "/keys", { label: "test", scopes })).body.key;
/** The API as seen with a key. */
const by = (key: string) => ({
  ask: <Body>(method: string, path: string, body?: unknown) =>
    pipeline.api<Body>(method, path, body, { authorization: `Bearer ${key}` }),
});
const run = async (...args: string[]) =>
  (await promisify(execFile)(process.execPath, ["scripts/keys.ts", "--state", state, ...args])).stdout;
const code = { tool: "run_code", input: { code: "6 * 7" } };

/** Requests, and the scopes of which one is enough; `admin` always is. */
const REQUESTS: readonly [method: string, path: string, body: unknown, scopes: readonly string[]][] = [
  ["POST", "/tasks", code, ["tasks"]],
  ["GET", "/tasks", undefined, ["tasks", "tasks:read"]],
  ["GET", "/tasks/task_x", undefined, ["tasks", "tasks:read"]],
  ["POST", "/tasks/task_x/cancel", undefined, ["tasks"]],
  ["POST", "/tasks/task_x/messages", { text: "x" }, ["tasks"]],
  ["GET", "/people", undefined, ["people"]],
  ["POST", "/people/admit", { code: "AAAA-AAAA" }, ["people"]],
  ["DELETE", "/people/telegram:1", undefined, ["people"]],
  ["POST", "/people/telegram:1/forget", undefined, ["people"]],
  ["GET", "/dead-letters", undefined, ["dead-letters"]],
  ["DELETE", "/dead-letters/tasks/x", undefined, ["dead-letters"]],
  ["GET", "/keys", undefined, []],
  ["POST", "/keys", { label: "", scopes: ["tasks"] }, []],
  ["DELETE", "/keys/0123456789abcdef", undefined, []],
];

describe("a key", () => {
  it.each(["tasks", "tasks:read", "people", "dead-letters", "admin"])(
    "with the scope %s may do that, and nothing else",
    async (scope) => {
      const key = await make(scope);
      const { ask } = by(key);
      for (const [method, path, body, scopes] of REQUESTS) {
        const { status } = await ask(method, path, body);
        const may = scope === "admin" || scopes.includes(scope);
        expect([method, path, status === 403]).toEqual([method, path, !may]);
        expect(status).not.toBe(401);
      }
      // What is refused is not done either.
      const sender = `key:${await sha256Hex(key)}`;
      const submitted = await pipeline.sql("SELECT 1 FROM tasks WHERE sender = ?", sender);
      expect(submitted).toHaveLength(scope === "tasks" || scope === "admin" ? 1 : 0);
      await pipeline.quiet();
    },
  );

  it("for tasks sees its own and nobody else's, least of all what people say", async () => {
    const [mine, other, reader] = [
      by(await make("tasks")),
      by(await make("tasks")),
      by(await make("tasks:read")),
    ];
    const named = { ...code, conversation: "shared" };
    const { body: task } = await mine.ask<{ id: string }>("POST", "/tasks", named);
    await pipeline.hook(privateText(601, "/run 'private'"));
    await pipeline.quiet();
    const [chat] = await pipeline.sql<{ id: string }>("SELECT id FROM tasks WHERE sender = 'telegram:601'");
    const seen = async ({ ask }: typeof mine) => {
      const statuses = [task.id, chat?.id ?? ""].map(async (id) => (await ask("GET", `/tasks/${id}`)).status);
      const { body } = await ask<{ tasks: { id: string }[] }>("GET", "/tasks");
      const listed = body.tasks.map(({ id }) => id);
      return [...(await Promise.all(statuses)), listed.includes(task.id), listed.includes(chat?.id ?? "")];
    };
    expect(await seen(mine)).toEqual([200, 404, true, false]);
    expect(await seen(other)).toEqual([404, 404, false, false]);
    expect(await seen(reader)).toEqual([200, 404, true, false]);
    expect(await seen(by(API_KEY))).toEqual([200, 200, true, true]);
    // Whoever goes on with a conversation would be told what was said in it.
    expect((await other.ask("POST", "/tasks", named)).status).toBe(409);
    expect((await mine.ask("POST", "/tasks", named)).status).toBe(202);
    expect((await other.ask("POST", `/tasks/${task.id}/cancel`)).status).toBe(404);
    await pipeline.quiet();
  });

  it("that has expired, or was revoked, is none; and none revokes itself", async () => {
    const key = await make("tasks");
    const page = async () => (await pipeline.api<KeyPage>("GET", "/keys")).body.keys;
    const made = (await page()).at(-1);
    await pipeline.sql("UPDATE api_keys SET expires_at = 1 WHERE substr(hash, 1, 16) = ?", made?.id);
    expect((await by(key).ask("GET", "/tasks")).status).toBe(401);
    await pipeline.sql("UPDATE api_keys SET expires_at = NULL WHERE substr(hash, 1, 16) = ?", made?.id);
    expect((await by(key).ask("GET", "/tasks")).status).toBe(200);
    expect((await pipeline.api("DELETE", `/keys/${made?.id}`)).status).toBe(200);
    expect((await by(key).ask("GET", "/tasks")).status).toBe(401);
    const own = (await page()).find(({ is_this }) => is_this);
    expect((await pipeline.api("DELETE", `/keys/${own?.id}`)).status).toBe(404);
    expect(own?.last_used_at).not.toBeNull();
    const past = { label: "", scopes: ["tasks"], expires_at: "2020-01-01T00:00:00Z" };
    expect((await pipeline.api("POST", "/keys", past)).status).toBe(400);
  });
});

it("npm run keys makes, lists and revokes them", async () => {
  const made = await run("create", "--scopes", "tasks:read", "--label", "the shop", "--expires", "30");
  const [, key = "", id = ""] = /^(errand_default_\S+)\n[^]*Its id is (\w+)\./.exec(made) ?? [];
  expect((await by(key).ask("GET", "/tasks")).status).toBe(200);
  expect(await run("list")).toMatch(new RegExp(`${id}  tasks:read .*, until 20.*the shop`));
  expect(await run("revoke", id)).toBe(`${id} is no key any more.\n`);
  expect((await by(key).ask("GET", "/tasks")).status).toBe(401);
  await expect(run("create", "--scopes", "everything")).rejects.toThrow('"everything" is no scope');
  await expect(run("create", "--scopes", "tasks", "--expires", "soon")).rejects.toThrow("a number of days");
});
