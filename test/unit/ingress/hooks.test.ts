/** The webhook's answers: who is served, what is kept, and what happens when something is down. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import ingress from "../../../workers/ingress/index.ts";
import type { Env } from "../../../workers/ingress/env.ts";
import { openDatabase, rows } from "../database.ts";

const SECRET = "right";
const rung: unknown[] = [];
const queue = {
  sendBatch: (messages: unknown[]) => Promise.resolve(rung.push(...messages)),
} as unknown as Queue;
let env: Env;

beforeAll(async () => {
  const DB = await openDatabase();
  env = {
    DB,
    INBOUND: queue,
    TASKS: queue,
    REPLIES: queue,
    DEAD_LETTERS: queue,
    FILES: {} as R2Bucket,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    TELEGRAM_BOT_USERNAME: "errand_test_bot",
  };
});
beforeEach(() => {
  rung.length = 0;
});

let updates = 1;
const message = (fields: object = {}) => ({
  message_id: 7,
  date: 1,
  chat: { id: 5, type: "private" },
  from: { id: 5, is_bot: false },
  text: "Hello",
  ...fields,
});
const update = (fields: object = {}) => JSON.stringify({ update_id: updates++, message: message(fields) });

async function post(
  body: BodyInit,
  { secret = SECRET, over = {} }: { secret?: string; over?: Partial<Env> } = {},
) {
  const request = new Request("http://errand/hooks/telegram", {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": secret },
    body,
  });
  const ctx = createExecutionContext();
  const response = await ingress.fetch(request, { ...env, ...over }, ctx);
  await waitOnExecutionContext(ctx);
  return { status: response.status, body: await response.json<Record<string, string>>() };
}

const count = async (table: string) =>
  (await rows<{ n: number }>(env.DB, `SELECT COUNT(*) AS n FROM ${table}`))[0]?.n;

describe("the secret", () => {
  it.each(["wrong", "", "righ", "rightright"])("%j is refused and leaves nothing", async (secret) => {
    const before = await count("inbound");
    expect((await post(update(), { secret })).status).toBe(401);
    expect(await count("inbound")).toBe(before);
  });

  it("that is not configured refuses to serve, with the variable's name", async () => {
    const { TELEGRAM_WEBHOOK_SECRET: _, ...unset } = env;
    const request = new Request("http://errand/hooks/telegram", { method: "POST", body: update() });
    for (const bare of [unset, { ...unset, TELEGRAM_WEBHOOK_SECRET: "" }]) {
      const response = await ingress.fetch(request.clone(), bare, createExecutionContext());
      expect(response.status).toBe(503);
      expect(JSON.stringify(await response.json())).toContain("TELEGRAM_WEBHOOK_SECRET");
    }
  });
});

describe("a message", () => {
  it("is stored with its doorbell, and rung", async () => {
    expect((await post(update())).status).toBe(200);
    expect(rung).toEqual([
      { body: { queue: "inbound", key: expect.stringMatching(/^inb_/) }, delaySeconds: 0 },
    ]);
  });

  it("delivered again is stored and rung once, even with update id 0", async () => {
    const body = JSON.stringify({ update_id: 0, message: message() });
    const before = (await count("inbound")) ?? 0;
    for (let i = 0; i < 3; i++) expect((await post(body)).status).toBe(200);
    expect(await count("inbound")).toBe(before + 1);
    expect(rung).toHaveLength(1);
  });

  it.each([
    ["of a group, to others,", { chat: { id: -1, type: "group" } }],
    ["of a bot", { from: { id: 9, is_bot: true } }],
    ["of the service", { text: undefined, pinned_message: { text: "old" } }],
  ])("%s is answered and forgotten", async (_, fields) => {
    const before = await count("inbound");
    expect((await post(update(fields))).status).toBe(200);
    expect(await count("inbound")).toBe(before);
  });

  it.each([
    ["no JSON", "{"],
    ["no update", "[]"],
    ["a message without a chat", '{"update_id":5,"message":{"message_id":1}}'],
    ["more than fits", "x".repeat(300_000)],
  ])("that is %s is answered 2xx and parked", async (_, body) => {
    const before = (await count("outbox")) ?? 0;
    expect((await post(body)).status).toBe(200);
    expect(await count("outbox")).toBe(before + 1);
    expect(rung).toEqual([]);
  });
});

describe("when something is down", () => {
  it("a queue: the answer is 2xx, and the sweep delivers", async () => {
    const down = { sendBatch: () => Promise.reject(new Error("queue is down")) } as unknown as Queue;
    expect((await post(update(), { over: { INBOUND: down } })).status).toBe(200);
    await env.DB.prepare("UPDATE outbox SET ring_at = 0 WHERE parked_reason IS NULL").run();
    const controller = {
      cron: "* * * * *",
      // Not the minute of the hour at which what is old is deleted.
      scheduledTime: Date.UTC(2026, 0, 1),
      noRetry: () => undefined,
    } as ScheduledController;
    await ingress.scheduled(controller, env);
    expect(rung.length).toBeGreaterThan(0);
    const again = rung.length;
    await ingress.scheduled(controller, env);
    expect(rung).toHaveLength(again);
  });

  it("the database: the answer is 503, so that the platform sends it again", async () => {
    const down = {
      prepare: env.DB.prepare.bind(env.DB),
      batch: () => Promise.reject(new Error("D1 is down")),
    };
    expect((await post(update(), { over: { DB: down as unknown as D1Database } })).status).toBe(503);
    expect(rung).toEqual([]);
  });
});
