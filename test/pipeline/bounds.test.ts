/** What is accepted at once is bounded, and so is a prompt: what is beyond is refused in words, and nothing is passed over. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { calls, ModelServer, says } from "../../fakes/model-server.ts";
import { LIMITS } from "../../shared/limits.ts";
import { API_KEY, type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";
import { until } from "../support/until.ts";

const model = new ModelServer();
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({
    vars: { ANTHROPIC_BASE_URL: await model.listen() },
    timings: { code_wall_ms: 100_000, sandbox_queue_ms: 100_000, events_ping_ms: 500 },
  });
});
afterAll(async () => {
  await pipeline.close();
  model.close();
});
beforeEach(() => {
  pipeline.telegram.reset();
  model.reset();
});

const HELD = "await new Promise(() => setInterval(() => {}, 1_000))";
const submitHeld = () => pipeline.api("POST", "/tasks", { tool: "run_code", input: { code: HELD } });
const cancel = (id: string) => pipeline.api("POST", `/tasks/${id}/cancel`);
const started = (nth: number) =>
  until(
    async () => (await pipeline.sql("SELECT 1 FROM events WHERE type = 'started'")).length >= nth,
    60_000,
    "the call to start",
  );

/** Models are given no more than this, whatever was said. */
function expectBoundedPrompts(): void {
  const chars = model.requests.map(({ body }) => JSON.stringify(body.messages).length);
  expect(Math.max(...chars)).toBeLessThan(LIMITS.prompt_history_chars_max * 1.1);
}

describe("messages steered into a task", () => {
  it("are read, as many as fit, in their order, and refused when too much waits", async () => {
    model.answerTo = () => calls("run_code", { code: HELD });
    const asked = await pipeline.api("POST", "/tasks", { prompt: "Compute." });
    await started(1);
    const statuses: number[] = [];
    for (let nth = 1; nth <= 80; nth++) {
      const text = `${nth}. ${"m".repeat(31_990)}`;
      statuses.push((await pipeline.api("POST", `/tasks/${asked.body.id}/messages`, { text })).status);
    }
    const taken = statuses.filter((status) => status === 202).length;
    expect(taken).toBe(Math.floor(LIMITS.unread_chars_max / 32_030));
    expect(statuses.slice(taken)).toEqual(Array.from({ length: 80 - taken }, () => 429));
    model.answerTo = () => says("All read.");
    // The next task reads what is unread: as much as fits, and its end begins another for the rest.
    await pipeline.sql("UPDATE tasks SET deadline_at = 1 WHERE id = ?", asked.body.id);
    await pipeline.sql("UPDATE outbox SET ring_at = 0");
    await pipeline.ring();
    await pipeline.quiet();
    expectBoundedPrompts();
    const read = await pipeline.sql<{ turn: number | null; task_id: string; chars: number }>(
      "SELECT m.turn, m.task_id, length(m.content) AS chars FROM messages m JOIN tasks t ON t.id = m.task_id WHERE m.content LIKE '%mmmm%' AND t.state = 'succeeded' ORDER BY m.seq",
    );
    expect(read.map(({ turn }) => turn)).toEqual(Array.from({ length: taken }, () => 1));
    const charsOf = (taskId: string) =>
      read.reduce((sum, { task_id, chars }) => sum + (task_id === taskId ? chars : 0), 0);
    for (const { task_id } of read)
      expect(charsOf(task_id)).toBeLessThanOrEqual(LIMITS.turn_unread_chars_max);
    const seen = model.requests.flatMap(({ body }) => JSON.stringify(body).match(/\d+\. m/g) ?? []);
    expect(new Set(seen).size).toBe(taken);
  });
});

describe("a chat", () => {
  const group = (chatId: number, topic: number, text: string) => {
    const { update_id, message } = privateText(500, text);
    const chat = { id: chatId, type: "supergroup", title: "Errands" };
    const topical = { message_thread_id: topic, is_topic_message: true };
    return pipeline.hook({ update_id, message: { ...message, chat, ...topical } });
  };
  const held = `/run ${HELD}`;
  const topicsOf = async (text: string) =>
    (await pipeline.sql("SELECT 1 FROM replies WHERE text LIKE ?", `%${text}%`)).length;

  it("hears what is too much while a task runs, and has an answer for all the rest", async () => {
    const before = (await pipeline.sql("SELECT 1 FROM events WHERE type = 'started'")).length;
    await pipeline.hook(privateText(501, held));
    await started(before + 1);
    for (let nth = 1; nth <= LIMITS.unread_messages_max + 5; nth++)
      await pipeline.hook(privateText(501, `more ${nth}`));
    await until(
      async () => (await pipeline.sql("SELECT 1 FROM inbound WHERE state = 'new'")).length === 0,
      30_000,
      "all to be triaged",
    );
    expect(await topicsOf("I did not take this one")).toBe(5);
    const unread = await pipeline.sql("SELECT 1 FROM messages WHERE task_id IS NULL");
    expect(unread).toHaveLength(LIMITS.unread_messages_max);
    await pipeline.hook(privateText(501, "/stop"));
    await pipeline.quiet();
    expect(pipeline.telegram.in(501).map(({ text }) => text)).toContain(
      `⏹ Stopped. Unread messages that went with it: ${LIMITS.unread_messages_max}.`,
    );
  });

  it("has as many tasks of one person as one person may have, wherever they are", async () => {
    for (let topic = 1; topic <= LIMITS.active_tasks_per_person_max + 1; topic++)
      await group(-100, topic, topic <= LIMITS.active_tasks_per_person_max ? held : "/run 'one more'");
    await until(
      async () => (await topicsOf("nobody may have more")) === 1,
      30_000,
      "the sixth to be refused",
    );
    const active = "SELECT id FROM tasks WHERE state IN ('queued', 'running')";
    const tasks = await pipeline.sql<{ id: string }>(active);
    expect(tasks).toHaveLength(LIMITS.active_tasks_per_person_max);
    // Behind one of them something may be said.
    await group(-100, 1, "/run 'behind'");
    await until(
      async () => (await pipeline.sql("SELECT 1 FROM messages WHERE task_id IS NULL")).length === 1,
      30_000,
      "it to wait",
    );
    for (const { id } of tasks) await cancel(id);
    await pipeline.quiet();
    expect(await pipeline.sql(active)).toEqual([]);
  });
});

describe("an API key", () => {
  it("has as many event streams open as it may have, and another when one is closed", async () => {
    const { body: task } = await submitHeld();
    const open = async () => {
      const abort = new AbortController();
      const headers = { authorization: `Bearer ${API_KEY}` };
      const stream = await fetch(`${pipeline.url}/v1/tasks/${task.id}/events`, {
        headers,
        signal: abort.signal,
      });
      return { status: stream.status, abort };
    };
    const streams = [];
    for (let nth = 0; nth < LIMITS.streams_per_key_max; nth++) streams.push(await open());
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await open()).status).toBe(429);
    streams[0]?.abort.abort();
    await until(async () => (await open()).status === 200, 60_000, "a stream to be free");
    for (const { abort } of streams) abort.abort();
    await cancel(task.id);
    await pipeline.quiet();
    // Those that nobody closed end with their task.
    await until(
      async () => (await pipeline.sql("SELECT 1 FROM streams")).length === 0,
      60_000,
      "all to be closed",
    );
  });

  it("has as many tasks under way as it may have, and another when one has ended", async () => {
    const submitted = [];
    for (let nth = 1; nth <= LIMITS.active_tasks_per_key_max; nth++) submitted.push(await submitHeld());
    expect(submitted.map(({ status }) => status)).toEqual(submitted.map(() => 202));
    const url = `${pipeline.url}/v1/tasks`;
    const headers = { authorization: `Bearer ${API_KEY}`, "idempotency-key": "again" };
    const body = JSON.stringify({ prompt: "Hello" });
    const refused = await fetch(url, { method: "POST", headers, body });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
    expect(await refused.json()).toMatchObject({ title: "Too many tasks" });
    // What is refused leaves nothing behind.
    const empty =
      "SELECT 1 FROM conversations c WHERE channel = 'api' AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation_id = c.id)";
    expect(await pipeline.sql(empty)).toEqual([]);
    await cancel(submitted[0]?.body.id ?? "");
    expect((await fetch(url, { method: "POST", headers, body })).status).toBe(202);
    for (const { body: task } of submitted) await cancel(task.id);
    await pipeline.quiet();
  });
});
