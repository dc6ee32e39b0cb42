/** How an installation says that it is: what waits, what has failed, what it cost, who is there, and when the clock has rung. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Status } from "../../shared/contracts/api.ts";
import { ModelServer, says } from "../../fakes/model-server.ts";
import { openPipeline, type Pipeline, privateText } from "../support/pipeline.ts";
import { until } from "../support/until.ts";

const model = new ModelServer();
let pipeline: Pipeline;
beforeAll(async () => {
  const vars = {
    ANTHROPIC_BASE_URL: await model.listen(),
    ANTHROPIC_MODEL: "stand-in",
    ANTHROPIC_PRICE: "2/10",
  };
  pipeline = await openPipeline({ vars });
});
afterAll(async () => {
  await pipeline.close();
  model.close();
});

async function statusOf(): Promise<Status> {
  const { status, body } = await pipeline.api<Status>("GET", "/status");
  expect(status).toBe(200);
  return body;
}

const VERSION = expect.stringMatching(/^[0-9a-f]{16}$/);

it("knows that nothing has happened", async () => {
  expect(await statusOf()).toMatchObject({
    version: VERSION,
    queues: { inbound: { waiting: 0, overdue: 0, oldest_at: null } },
    tasks: { running: 0, succeeded: 0, failed: 0 },
    dead_letters: 0,
    swept_at: null,
    today: { turns: 0, tokens_in: 0 },
    faults_of_the_hour: [],
  });
});

it("counts what was done, what it cost and what has failed, and hears of every Worker and of the clock", async () => {
  model.answerTo = () => says("Here you are.");
  await pipeline.hook(privateText(1, "Hello"));
  await pipeline.quiet();
  model.answerTo = () => ({ status: 400 });
  await pipeline.hook(privateText(2, "Fail"));
  await pipeline.quiet();
  await pipeline.ring();
  const status = await until(
    async () => {
      const now = await statusOf();
      return now.workers.length === 4 && now;
    },
    30_000,
    "signs of life",
  );
  expect(status).toMatchObject({ tasks: { succeeded: 1, failed: 1, running: 0 }, today: { turns: 1 } });
  expect(status.today.cost_usd).toBeGreaterThan(0);
  expect(status.faults_of_the_hour).toEqual([
    expect.objectContaining({ what: "task: model_failed", count: 1 }),
  ]);
  expect(Date.now() - Date.parse(status.swept_at ?? "")).toBeLessThan(60_000);
  expect(status.workers).toEqual(
    ["executor", "ingress", "notifier", "planner"].map((name) =>
      expect.objectContaining({ name, version: VERSION }),
    ),
  );
  for (const line of pipeline.logs.filter((one) => one.startsWith('{"timestamp"')))
    expect(JSON.parse(line)).toHaveProperty("version", VERSION);
});

it("shows what waits and since when, and what was put aside with its reason", async () => {
  model.answerTo = () => "silence";
  const { body: task } = await pipeline.api("POST", "/tasks", { prompt: "Think" });
  await pipeline.hook({ update_id: 1, message: { text: "nobody can read this" } });
  const status = await until(
    async () => {
      const now = await statusOf();
      return now.tasks["running"] === 1 && now.dead_letters === 1 && now;
    },
    30_000,
    "a task to run",
  );
  expect(status.queues.tasks).toMatchObject({ waiting: 1, overdue: 0 });
  expect(Date.now() - Date.parse(status.queues.tasks.oldest_at ?? "")).toBeLessThan(60_000);
  expect(status.faults_of_the_hour.map(({ what }) => what)).toEqual(
    expect.arrayContaining(["task: model_failed", expect.stringMatching(/^inbound: /)]),
  );
  // Nobody rings a doorbell that is due for long: the clock has stopped.
  await pipeline.sql("UPDATE outbox SET ring_at = 1 WHERE parked_reason IS NULL");
  expect((await statusOf()).queues.tasks.overdue).toBe(1);
  await pipeline.api("POST", `/tasks/${task.id}/cancel`);
});

it("says none of it without a key, or to one that may only submit", async () => {
  expect((await fetch(`${pipeline.url}/v1/status`)).status).toBe(401);
  const { body: made } = await pipeline.api<{ key: string }>("POST", "/keys", {
    label: "shop",
    scopes: ["tasks"],
  });
  const ask = (key: string) =>
    fetch(`${pipeline.url}/v1/status`, { headers: { authorization: `Bearer ${key}` } });
  expect((await ask(made.key)).status).toBe(403);
});
