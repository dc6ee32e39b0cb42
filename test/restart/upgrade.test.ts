/** A state folder of an earlier version goes on: every task in it ends, each with one answer, and what was answered stays as it is. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ModelServer, says } from "../../fakes/model-server.ts";
import type { ShownMessage } from "../../fakes/telegram-server.ts";
import { install, type Running } from "../support/installation.ts";
import { until } from "../support/until.ts";

const STATES = "test/upgrade/states";
const ENDED_MS_MAX = 120_000;

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

async function tasksOf({ url, apiKey }: Running): Promise<Task[]> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const get = async (path: string) => JSON.parse(await (await fetch(`${url}/v1${path}`, { headers })).text());
  const { tasks } = (await get("/tasks")) as { tasks: Task[] };
  return Promise.all(tasks.map(({ id }): Promise<Task> => get(`/tasks/${id}`)));
}

it.each(readdirSync(STATES))("of %s", async (archive) => {
  const errand = await install();
  try {
    execFileSync("tar", ["-xzf", resolve(STATES, archive), "-C", errand.state]);
    const shown = JSON.parse(await readFile(join(errand.state, "shown.json"), "utf8"));
    errand.telegram.adopt(shown.messages);
    const before = shown.messages as ShownMessage[];
    const running = await errand.start({ ANTHROPIC_BASE_URL: modelUrl, ANTHROPIC_MODEL: "stand-in" });
    const isOver = ({ result, delivery }: Task) =>
      result !== null && (delivery === null || delivery.state === "delivered");
    const tasks = await until(
      async () => {
        const all = await tasksOf(running);
        return all.every(isOver) && all;
      },
      ENDED_MS_MAX,
      "every task to end",
    );
    expect(tasks.length).toBeGreaterThan(20);
    for (const { receipt } of tasks) expect(receipt.filter(({ event }) => event === "ended")).toHaveLength(1);

    // What had been answered is neither changed nor answered again.
    for (const old of before.filter((message) => !isPreview(message)))
      expect(errand.telegram.messages).toContainEqual(
        expect.objectContaining({ id: old.id, text: old.text }),
      );
    // Every other message is the answer of one task, and every answer is one message.
    const answers = tasks.flatMap(({ delivery }) => delivery?.messages ?? []).map(({ id }) => Number(id));
    expect(new Set(answers).size).toBe(answers.length);
    const known = new Set([...answers, ...before.map(({ id }) => id)]);
    expect(errand.telegram.messages.filter(({ id }) => !known.has(id))).toEqual([]);
    running.signal("SIGTERM");
    await running.exited;
  } finally {
    await errand.remove();
  }
});
