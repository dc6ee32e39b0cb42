/** What a model asks a person: a question, answered by a button, a message or the API; and several calls of one turn that wait. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { ApprovalPage, ApprovalView } from "../../shared/contracts/control.ts";
import { type ModelRequest, ModelServer, says } from "../../fakes/model-server.ts";
import { openPipeline, type Pipeline, privateText } from "../support/pipeline.ts";
import { press } from "../support/press.ts";
import { until } from "../support/until.ts";

const WAIT_MS_MAX = 60_000;
const model = new ModelServer();
let pipeline: Pipeline;
let chat = 6_000;
beforeAll(async () => {
  const vars = { ANTHROPIC_BASE_URL: await model.listen(), ANTHROPIC_MODEL: "stand-in" };
  pipeline = await openPipeline({ vars });
});
afterAll(async () => {
  await pipeline.close();
  model.close();
});
beforeEach(() => void chat++);
afterEach(() => setRules([]));

const setRules = (rules: object[]) =>
  pipeline.api("PUT", "/policy", { rules, inside_hosts: [], approvers: "person" });

/** What the calls of the newest turn have brought, as the model reads it. */
function resultsIn({ body }: ModelRequest): string[] {
  const last = body.messages.at(-1)?.content ?? [];
  return last.flatMap((block) => (block.type === "tool_result" ? [JSON.stringify(block.content)] : []));
}

/** First the calls; then, when they are done, their results in words. */
function callThenTell(...made: [name: string, input: unknown][]): void {
  const content = made.map(([name, input], index) => ({
    type: "tool_use",
    id: `toolu_${index}`,
    name,
    input,
  }));
  model.answerTo = (request) => {
    const results = resultsIn(request);
    if (results.length === 0) return { content, stop_reason: "tool_use" };
    return says(results.map((result) => `heard ${result}`).join("\n"));
  };
}

const shown = () => pipeline.telegram.in(chat);
const find = (words: string) =>
  until(() => shown().find(({ text }) => text.includes(words)) ?? false, WAIT_MS_MAX, `"${words}"`);
/** The answer, whole. */
async function heard(): Promise<string> {
  await find("heard");
  await pipeline.quiet();
  return (await find("heard")).text;
}
const state = async () =>
  (await pipeline.sql<{ state: string }>("SELECT state FROM tasks ORDER BY seq DESC LIMIT 1"))[0]?.state;
const isWaiting = () => until(async () => (await state()) === "waiting", WAIT_MS_MAX, "the task to wait");

it("is answered by one of its buttons, once", async () => {
  callThenTell(["ask_user", { question: "Red or blue?", choices: ["Red", "Blue"] }]);
  await pipeline.hook(privateText(chat, "Paint it"));
  const isAsked = () => shown().find((message) => message.buttons.length > 0) ?? false;
  const { buttons } = await until(isAsked, WAIT_MS_MAX, "its buttons");
  expect(buttons).toHaveLength(2);
  expect(await press(pipeline, chat, buttons[1] ?? "")).toBe("Thank you.");
  expect(await press(pipeline, chat, buttons[0] ?? "")).toBe("It was answered already.");
  expect(await heard()).toContain("Blue");
  await pipeline.quiet();
  expect((await find("❓ Red or blue?")).text).toMatch(/^💬 Answered\. Blue/);
  // Where there is no such choice, nothing is decided.
  expect(await press(pipeline, chat, (buttons[0] ?? "").replace("answer0", "answer7"))).toBe(
    "It was answered already.",
  );
});

it("is answered by a message, which is read by nothing else", async () => {
  callThenTell(["ask_user", { question: "Which colour?" }]);
  await pipeline.hook(privateText(chat, "Paint it"));
  await find("❓ Which colour?");
  await pipeline.hook(privateText(chat, "Mauve, please"));
  expect(await heard()).toContain("Mauve, please");
  await pipeline.quiet();
  expect(await pipeline.sql("SELECT 1 FROM messages WHERE content LIKE '%Mauve%'")).toEqual([]);
});

it("is answered over the API by the key that submitted the task", async () => {
  callThenTell(["ask_user", { question: "Which colour?" }]);
  const { body: key } = await pipeline.api<{ key: string }>("POST", "/keys", {
    label: "x",
    scopes: ["tasks"],
  });
  const headers = { authorization: `Bearer ${key.key}` };
  const { body: task } = await pipeline.api("POST", "/tasks", { prompt: "Paint it" }, headers);
  await isWaiting();
  const { body: page } = await pipeline.api<ApprovalPage>("GET", "/approvals?state=open", undefined, headers);
  const path = `/approvals/${page.approvals[0]?.id}`;
  expect((await pipeline.api("POST", path, { decision: "approve" }, headers)).status).toBe(403);
  const answered = await pipeline.api<ApprovalView>(
    "POST",
    path,
    { decision: "answer", answer: "Mauve" },
    headers,
  );
  expect(answered.body).toMatchObject({ state: "answered", reason: "Mauve" });
  expect((await pipeline.ended(task.id)).result?.text).toContain("Mauve");
});

it("waits beside a call that is made meanwhile", async () => {
  callThenTell(["run_code", { code: "6 * 7" }], ["ask_user", { question: "Well?" }]);
  await pipeline.hook(privateText(chat, "Do both"));
  await find("❓ Well?");
  await isWaiting();
  expect(
    await pipeline.sql(
      "SELECT ok FROM calls WHERE ok IS NOT NULL AND task_id = (SELECT id FROM tasks ORDER BY seq DESC LIMIT 1)",
    ),
  ).toEqual([{ ok: 1 }]);
  await pipeline.hook(privateText(chat, "Yes"));
  const text = await heard();
  expect(text).toContain("42");
  expect(text).toContain("Yes");
  await pipeline.quiet();
});

it("of two calls that ask, one is made and one is not, each as it was decided", async () => {
  await setRules([{ tool: "run_code", decision: "ask" }]);
  callThenTell(["run_code", { code: "'first'" }], ["run_code", { code: "'second'" }]);
  await pipeline.hook(privateText(chat, "Do both"));
  await isWaiting();
  const isAsked = (words: string) =>
    until(
      () => shown().find(({ text, buttons }) => text.includes(words) && buttons.length > 0) ?? false,
      WAIT_MS_MAX,
      words,
    );
  const [first, second] = [await isAsked("'first'"), await isAsked("'second'")];
  expect(await press(pipeline, chat, second.buttons[1] ?? "")).toBe("Denied.");
  // The other still waits, and so does the task.
  await isWaiting();
  expect(await press(pipeline, chat, first.buttons[0] ?? "")).toBe("Approved.");
  const text = await heard();
  expect(text).toContain("first");
  expect(text).toContain("a person denied it");
  await pipeline.quiet();
  expect(await state()).toBe("succeeded");
});

it("a call that the policy refuses is not made, and the model hears why", async () => {
  await setRules([{ tool: "run_code", decision: "deny" }]);
  callThenTell(["run_code", { code: "6 * 7" }]);
  await pipeline.hook(privateText(chat, "Do it"));
  expect(await heard()).toContain("the policy refuses it (rule 1 says deny)");
  await pipeline.hook(privateText(chat, "/policy run_code"));
  expect((await find("never")).text).toContain("rule 1 says deny");
  await pipeline.quiet();
});
