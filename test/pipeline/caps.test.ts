/** Spending caps: room is reserved before a model is asked, and what it did cost is counted in the end, whatever became of it. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { calls, ModelServer, says } from "../../fakes/model-server.ts";
import type { ApprovalPage, PolicyView, UsageView } from "../../shared/contracts/control.ts";
import type { Caps } from "../../shared/policy/caps.ts";
import type { MadeKey } from "../../shared/contracts/api.ts";
import { API_KEY, openPipeline, type Pipeline, privateText, type TaskBody } from "../support/pipeline.ts";
import { press } from "../support/press.ts";
import { until } from "../support/until.ts";

const WAIT_MS_MAX = 60_000;
/** An admin: they are named by their id. */
const ADMIN = 7_001;
let chat = 7_100;

const model = new ModelServer();
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({
    vars: {
      ANTHROPIC_BASE_URL: await model.listen(),
      ANTHROPIC_MODEL: "stand-in",
      ANTHROPIC_PRICE: "2/10",
      TELEGRAM_ALLOWED_USERS: `*,${ADMIN}`,
    },
    timings: { model_retry_ms: 50 },
  });
});
afterAll(async () => {
  await pipeline.close();
  model.close();
});
beforeEach(async () => {
  model.reset();
  model.usage = { input_tokens: 3_000, output_tokens: 1_000 };
  await setCaps({});
  await pipeline.sql("DELETE FROM spending");
});
afterEach(async () => {
  // What a test that failed has left would fail those after it.
  const left = await pipeline.sql<{ id: string }>(
    "SELECT id FROM tasks WHERE state IN ('queued', 'running', 'waiting')",
  );
  for (const { id } of left) await pipeline.api("POST", `/tasks/${id}/cancel`);
  await pipeline.quiet();
  pipeline.telegram.reset();
});

async function setCaps(caps: Caps): Promise<void> {
  const policy = { rules: [], inside_hosts: [], approvers: "person", caps };
  expect((await pipeline.api<PolicyView>("PUT", "/policy", policy)).status).toBe(200);
}

const usage = async () => (await pipeline.api<UsageView>("GET", "/usage")).body;
const openReservations = () => pipeline.sql("SELECT * FROM reservations WHERE is_lost = 0");
const textsIn = (id: number) => pipeline.telegram.in(id).map(({ text }) => text);
const saidIn = (id: number, words: string) =>
  until(() => pipeline.telegram.in(id).find(({ text }) => text.includes(words)) ?? false, WAIT_MS_MAX, words);

async function submit(prompt: string): Promise<TaskBody> {
  const { body } = await pipeline.api("POST", "/tasks", { prompt });
  return body;
}

async function ended(id: string): Promise<TaskBody & { error: { cap?: unknown } | null }> {
  return until(
    async () => {
      const { body } = await pipeline.api("GET", `/tasks/${id}`);
      return body.result === null ? false : body;
    },
    WAIT_MS_MAX,
    "the end",
  );
}

it("are told before the call: what is used up, and when it renews", async () => {
  await setCaps({ person_day: { tokens: 400 } });
  const id = ++chat;
  await pipeline.hook(privateText(id, "Hello"));
  await pipeline.quiet();
  expect(textsIn(id).join()).toMatch(
    /your spending limit for today is reached: of 400 tokens \(\$10\.00\) there are 400 tokens \(\$10\.00\) left, and the next step needs [\d,]+ tokens \(\$0\.\d+\) at least; it renews at 00:00 UTC, in \d+ h \d+ min\./,
  );
  expect(model.requests).toEqual([]);
  await setCaps({ key_day: { usd: 0.001 } });
  const task = await ended((await submit("Hello")).id);
  expect(task).toMatchObject({ status: "failed", error: { code: "model_failed", cap: { scope: "sender" } } });
  await setCaps({ tenant_day: { tokens: 0 } });
  expect(await ended((await submit("Hello")).id)).toMatchObject({ error: { cap: { scope: "tenant" } } });
  await setCaps({ task: { tokens: 0 } });
  expect(await ended((await submit("Hello")).id)).toMatchObject({
    error: { cap: { scope: "task", renews_at: null } },
  });
  expect(model.requests).toEqual([]);
  // What needs no model costs nothing.
  await pipeline.hook(privateText(id, "/run 6 * 7"));
  await saidIn(id, "42");
});

it("hold when fifty ask at the same time: thirty are answered, twenty told, to the token", async () => {
  await setCaps({ tenant_day: { tokens: 30 * 16_000 } });
  model.usage = { input_tokens: 3_000, output_tokens: 13_000 };
  const people = Array.from({ length: 50 }, () => ++chat);
  await Promise.all(people.map((id) => pipeline.hook(privateText(id, "Hello"))));
  await pipeline.quiet();
  const said = people.map((id) => textsIn(id).join());
  expect(said.filter((text) => text === "Hello.")).toHaveLength(30);
  const told = said.filter((text) =>
    text.includes("today's spending limit for everybody together is reached"),
  );
  expect(told).toHaveLength(20);
  expect(model.requests).toHaveLength(30);
  expect((await usage()).everybody).toEqual({
    tokens: 480_000,
    usd: 4.08,
    tokens_max: 480_000,
    usd_max: 30,
  });
  expect(await openReservations()).toEqual([]);
});

/** Has the admin ask something that has no room; resolves when they are asked for more. */
async function reach(text: string) {
  await pipeline.hook(privateText(ADMIN, text));
  const isAsked = () =>
    pipeline.telegram
      .in(ADMIN)
      .find((one) => one.text.includes("May I spend more") && one.buttons.length > 0) ?? false;
  const message = await until(isAsked, WAIT_MS_MAX, "the request");
  const [allow = "", deny = ""] = message.buttons;
  return { message, allow, deny };
}

it("are raised for one task by an admin, and by nobody else", async () => {
  await setCaps({ person_day: { tokens: 400 }, task: { tokens: 8_000 } });
  model.answerTo = ({ body }) =>
    body.messages.some(({ content }) => content.some(({ type }) => type === "tool_result"))
      ? says("It is 42.")
      : calls("run_code", { code: "6 * 7" });
  const { message, allow } = await reach("Compute");
  expect(message.text).toMatch(/Yes allows 1\d,\d+ tokens/);
  expect(model.requests).toEqual([]);
  const { body: page } = await pipeline.api<ApprovalPage>("GET", "/approvals?state=open");
  expect(page.approvals).toMatchObject([{ kind: "approval", turn: 1, call: 0 }]);
  // In a group others see the button as well.
  expect(await press(pipeline, ADMIN, allow, chat)).toBe("You may not decide this.");
  expect(await press(pipeline, ADMIN, allow)).toBe("Approved.");
  await saidIn(ADMIN, "It is 42.");
  await pipeline.quiet();
  expect(textsIn(ADMIN)).toEqual([expect.stringMatching(/^✅ Approved\./), "It is 42."]);
  expect((await usage()).everybody.tokens).toBe(8_000);
  // The next has the same cap as before.
  const { deny } = await reach("Compute again");
  expect(await press(pipeline, ADMIN, deny)).toBe("Denied.");
  await saidIn(ADMIN, "no more was allowed.");
  await pipeline.quiet();
  expect(model.requests).toHaveLength(2);
});

it("are raised no more than was allowed: the task is told when that is used up", async () => {
  await setCaps({ person_day: { tokens: 400 }, task: { tokens: 400 } });
  model.usage = { input_tokens: 30_000, output_tokens: 1_000 };
  model.answerTo = () => calls("run_code", { code: "6 * 7" });
  const { allow } = await reach("Compute for ever");
  expect(await press(pipeline, ADMIN, allow)).toBe("Approved.");
  const requests = () => textsIn(ADMIN).filter((text) => text.includes("May I spend more"));
  await until(() => requests().length === 2, WAIT_MS_MAX, "the next request");
  expect(model.requests).toHaveLength(1);
  await pipeline.hook(privateText(ADMIN, "/stop"));
  await pipeline.quiet();
});

it("are reached, too, where the answer had no room and was cut off", async () => {
  await setCaps({ person_day: { tokens: 2_500 }, key_day: { tokens: 2_500 }, task: { tokens: 4_000 } });
  model.usage = { input_tokens: 600, output_tokens: 800 };
  const cut = { content: [{ type: "text", text: "Half of" }], stop_reason: "max_tokens" };
  model.answerTo = ({ body }) => (body.max_tokens < 16_000 ? cut : says("Whole."));
  expect(await ended((await submit("Hello")).id)).toMatchObject({
    status: "failed",
    error: { cap: { scope: "sender" } },
  });
  const { allow } = await reach("Hello");
  expect(await press(pipeline, ADMIN, allow)).toBe("Approved.");
  await saidIn(ADMIN, "Whole.");
  await pipeline.quiet();
});

it("hold after a denial, whatever room there is by then; and a message denies nothing", async () => {
  await setCaps({ person_day: { tokens: 400 } });
  const { deny } = await reach("Hello");
  await pipeline.hook(privateText(ADMIN, "and buy milk"));
  await setCaps({});
  expect(await press(pipeline, ADMIN, deny)).toBe("Denied.");
  await saidIn(ADMIN, "Hello.");
  await pipeline.quiet();
  // The first was refused; what was said meanwhile begins the next.
  expect(textsIn(ADMIN).filter((text) => text.includes("I could not go on"))).toHaveLength(1);
  expect(model.requests).toHaveLength(1);
  expect(JSON.stringify(model.requests[0]?.body.messages.at(-1))).toContain("buy milk");
});

it("are raised over the API by an admin's key alone, and by as much as the next step costs", async () => {
  await setCaps({ person_day: { tokens: 400 }, task: { usd: 0 } });
  const { allow } = await reach("Hello");
  const { body: page } = await pipeline.api<ApprovalPage>("GET", "/approvals?state=open");
  const { body: made } = await pipeline.api<MadeKey>("POST", "/keys", { label: "x", scopes: ["approvals"] });
  const approve = (key: string) =>
    fetch(`${pipeline.url}/v1/approvals/${page.approvals[0]?.id}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ decision: "approve" }),
    });
  expect((await approve(made.key)).status).toBe(409);
  expect(allow).not.toBe("");
  expect((await approve(API_KEY)).status).toBe(200);
  await saidIn(ADMIN, "Hello.");
  await pipeline.quiet();
});

it("count what broke off by what it did cost, and what was tried again", async () => {
  const answers = ["half", says("Whole.")] as const;
  model.answerTo = () => answers[model.requests.length - 1] ?? says("More.");
  expect((await ended((await submit("Hello")).id)).result?.text).toBe("Whole.");
  const broken = (await usage()).key.tokens - 4_000;
  // What it read, and the words that were heard of it.
  expect(broken).toBeGreaterThan(3_000);
  expect(broken).toBeLessThan(3_100);
  model.reset();
  model.answerTo = () => (model.requests.length === 1 ? { status: 529 } : says("Whole."));
  await ended((await submit("Hello")).id);
  expect((await usage()).key.tokens).toBe(broken + 8_000);
  expect(await openReservations()).toEqual([]);
});

it("count what was stopped while it spoke", async () => {
  const id = ++chat;
  const content = [{ type: "text", text: "word ".repeat(300) }];
  model.answerTo = () => ({ content, pieceMs: 50 });
  await pipeline.hook(privateText(id, "Speak"));
  await saidIn(id, "word");
  await pipeline.hook(privateText(id, "/stop"));
  await until(async () => (await openReservations()).length === 0, WAIT_MS_MAX, "the count");
  const { everybody } = await usage();
  expect(everybody.tokens).toBeGreaterThan(3_010);
  expect(everybody.tokens).toBeLessThan(3_600);
  expect(everybody.usd).toBeGreaterThan(0.006);
  await pipeline.quiet();
});

it("are shown to whoever asks for them", async () => {
  const id = ++chat;
  await pipeline.hook(privateText(id, "Hello"));
  await saidIn(id, "Hello.");
  await pipeline.hook(privateText(id, "/usage"));
  await pipeline.quiet();
  const { text } = await saidIn(id, "Today: 4,000 tokens ($0.0160) of 4,000,000 tokens ($10.00).");
  expect(text).toContain("One task may spend 1,000,000 tokens ($3.00).");
  expect(text).not.toContain("Everybody");
  await pipeline.hook(privateText(ADMIN, "/usage"));
  await saidIn(ADMIN, "Everybody together: 4,000 tokens ($0.0160) of 12,000,000 tokens ($30.00).");
  await pipeline.quiet();
});
