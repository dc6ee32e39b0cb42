/**
 * A state folder of an earlier version goes on: every task in it ends, each with one answer, and what was answered stays as it is. And back
 * again: that version's Workers go on with what this one has left.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ModelServer, says } from "../../fakes/model-server.ts";
import type { ShownMessage } from "../../fakes/telegram-server.ts";
import { install, type Running } from "../support/installation.ts";
import { privateText, WEBHOOK_SECRET } from "../support/pipeline.ts";
import { startEarlier } from "../support/earlier-version.ts";
import { LONG } from "../support/seed.ts";
import { until } from "../support/until.ts";

const STATES = "test/upgrade/states";
/** Where the runtime keeps its databases, in a state folder. */
const D1 = "v3/d1/miniflare-D1DatabaseObject";
/** The newest; the long run takes all. */
const SHORT: readonly string[] = ["4746eed.tar.gz"];
const ENDED_MS_MAX = 120_000;
/** Begun by the later version, and ended by the earlier one. */
const NEW_TASKS = 10;

interface Task {
  id: string;
  status: string;
  result: { text: string } | null;
  delivery: { state: string; messages: { id: string }[] } | null;
  receipt: { event: string }[];
}

const model = new ModelServer();
let modelUrl: string;
beforeAll(async () => {
  modelUrl = await model.listen();
  model.answerTo = () => says("It is done.");
});
afterAll(() => model.close());

const isPreview = ({ text }: ShownMessage) => text.endsWith(" …") || text.startsWith("⏳");

async function tasksOf({ url, apiKey }: Pick<Running, "url" | "apiKey">): Promise<Task[]> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const get = async (path: string) => JSON.parse(await (await fetch(`${url}/v1${path}`, { headers })).text());
  const { tasks } = (await get("/tasks")) as { tasks: Task[] };
  return Promise.all(tasks.map(({ id }): Promise<Task> => get(`/tasks/${id}`)));
}

const isOver = ({ result, delivery }: Task) =>
  result !== null && (delivery === null || delivery.state === "delivered");

/** Waits until every task has ended and is answered; each has ended once. */
async function allOver(running: Pick<Running, "url" | "apiKey">): Promise<Task[]> {
  const tasks = await until(
    async () => {
      const all = await tasksOf(running);
      return all.every(isOver) && all;
    },
    ENDED_MS_MAX,
    "every task to end",
  );
  for (const { receipt } of tasks) expect(receipt.filter(({ event }) => event === "ended")).toHaveLength(1);
  return tasks;
}

type Installed = Awaited<ReturnType<typeof install>>;

/** Unpacks a recorded state, with what its people had been shown. */
async function unpack(errand: Installed, archive: string): Promise<ShownMessage[]> {
  execFileSync("tar", ["-xzf", resolve(STATES, archive), "-C", errand.state]);
  const shown = JSON.parse(await readFile(join(errand.state, "shown.json"), "utf8"));
  errand.telegram.adopt(shown.messages);
  return shown.messages as ShownMessage[];
}

/** What had been answered is neither changed nor answered again; every other message is the answer of one task, and every answer is one message. */
function expectOneAnswerEach(
  { telegram }: Installed,
  { before, tasks, kills }: { before: readonly ShownMessage[]; tasks: readonly Task[]; kills: number },
): void {
  for (const old of before.filter((message) => !isPreview(message)))
    expect(telegram.messages).toContainEqual(expect.objectContaining({ id: old.id, text: old.text }));
  const answers = tasks.flatMap(({ delivery }) => delivery?.messages ?? []).map(({ id }) => Number(id));
  expect(new Set(answers).size).toBe(answers.length);
  const known = new Set([...answers, ...before.map(({ id }) => id)]);
  const others = telegram.messages.filter(({ id }) => !known.has(id));
  // A kill may leave one message of which nobody knows whether it was created: its first words, and never an answer.
  expect(others.filter((message) => !isPreview(message))).toEqual([]);
  expect(others.length).toBeLessThanOrEqual(kills);
}

/** Tasks of programs and of people that the later version is in the middle of when it is killed. */
async function beginTasks({ url, apiKey }: Running): Promise<void> {
  const post = async (path: string, headers: Record<string, string>, body: object) => {
    const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(response.ok).toBe(true);
  };
  const begun = Array.from({ length: NEW_TASKS }, async (_, n) => {
    const text = n % 2 === 0 ? `/run ${n}` : "think";
    await post("/v1/tasks", { authorization: `Bearer ${apiKey}` }, { prompt: text });
    const secret = { "x-telegram-bot-api-secret-token": WEBHOOK_SECRET };
    await post("/hooks/telegram", secret, privateText(500 + n, text));
  });
  await Promise.all(begun);
}

/** What a later version may have added. */
function expand(state: string): void {
  const file = readdirSync(join(state, D1)).find((name) => /^[0-9a-f]+\.sqlite$/.test(name)) ?? "";
  const database = new DatabaseSync(join(state, D1, file));
  database.exec("ALTER TABLE tasks ADD COLUMN of_a_later_version TEXT");
  database.close();
}

const states = readdirSync(STATES);
it("has its states", () => expect(states).toEqual(expect.arrayContaining([...SHORT])));

it.each(states.filter((archive) => LONG || SHORT.includes(archive)))("of %s", async (archive) => {
  const errand = await install();
  const vars = { ANTHROPIC_BASE_URL: modelUrl, ANTHROPIC_MODEL: "stand-in" };
  try {
    const before = await unpack(errand, archive);
    model.answerTo = () => says("It is done.");
    const later = await errand.start(vars);
    const tasks = await allOver(later);
    expect(tasks.length).toBeGreaterThan(20);
    expectOneAnswerEach(errand, { before, tasks, kills: 0 });
    if (!existsSync(join(errand.state, "workers.json"))) return;

    model.answerTo = () => "silence";
    await beginTasks(later);
    later.killGroup();
    await later.exited;
    expand(errand.state);
    model.answerTo = () => says("It is done.");
    const telegram = { TELEGRAM_BOT_TOKEN: errand.telegram.token, TELEGRAM_API_BASE: errand.telegram.url };
    const earlier = await startEarlier(errand.state, { ...vars, ...telegram, TELEGRAM_ALLOWED_USERS: "*" });
    try {
      const all = await allOver({ url: earlier.url, apiKey: later.apiKey });
      expect(all.length).toBe(tasks.length + 2 * NEW_TASKS);
      expectOneAnswerEach(errand, { before, tasks: all, kills: 1 });
    } finally {
      await earlier.stop();
    }
  } finally {
    await errand.remove();
  }
});
