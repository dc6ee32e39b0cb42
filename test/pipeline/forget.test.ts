/** Forgetting a person, and what is old: nothing of them is left in the database or in R2, but the hash that stops a redelivery. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { API_KEY, type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";
import { until } from "../support/until.ts";

const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;
const ADA = 77_123_001;
const GRACE = 77_456_002;

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({ timings: { code_wall_ms: 600_000 } });
});
afterAll(() => pipeline.close());

/** Everything that is stored, as one text. */
async function dump(): Promise<string> {
  const tables = await pipeline.sql<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%_cf_%' AND name NOT LIKE 'd1_%'",
  );
  const contents: string[] = [];
  for (const { name } of tables)
    contents.push(`${name} ${JSON.stringify(await pipeline.sql(`SELECT * FROM ${name}`))}`);
  return contents.join("\n");
}

/** The clock rings through a day, at the minute at which what is old goes. */
async function ringThroughDay(from: number): Promise<void> {
  const hour = Math.ceil(from / DAY_MS) * DAY_MS + 17 * 60_000;
  for (let nth = 0; nth < 24; nth++) await pipeline.ring(new Date(hour + nth * HOUR_MS));
}

const forget = (id: string) =>
  pipeline.api<{ forgotten: unknown }>("POST", `/people/${encodeURIComponent(id)}/forget`);

it("deletes what a person said and what was made for them, and nobody else's", async () => {
  const said = privateText(ADA, "/run save('diary.txt', 'ada-file'); return 'ada-secret'");
  await pipeline.hook(said);
  await pipeline.hook(privateText(ADA, "/help"));
  await pipeline.hook(privateText(GRACE, "/run save('log.txt', 'grace-file'); return 'grace-word'"));
  await pipeline.quiet();
  // What nobody could read, what Grace has answered to her, and what they said together in a topic.
  await pipeline.hook({ update_id: "broken", message: { from: { id: ADA }, text: "ada-unreadable" } });
  const answer = privateText(GRACE, "/run 'grace-answer'");
  const from = { id: ADA, is_bot: false, first_name: "Ada" };
  const reply_to_message = { message_id: 1, from, text: "ada-quoted" };
  await pipeline.hook({ ...answer, message: { ...answer.message, reply_to_message } });
  await pipeline.quiet();
  const held = privateText(ADA, "/run await scheduler.wait(600_000); return 'ada-held'");
  await pipeline.hook(held);
  await until(
    async () => (await pipeline.sql("SELECT 1 FROM tasks WHERE state = 'running'")).length === 1,
    30_000,
    "her task to run",
  );
  const [running] = await pipeline.sql<{ id: string }>("SELECT id FROM tasks WHERE state = 'running'");
  expect(await dump()).toContain("ada-secret");
  const { status, body } = await forget(`telegram:${ADA}`);
  expect([status, body.forgotten]).toEqual([200, { id: `telegram:${ADA}`, tasks: 2, messages: 2 }]);
  // Who waited for something was told that it was stopped.
  expect(pipeline.telegram.in(ADA).at(-1)?.text).toBe("⏹ Stopped.");
  await pipeline.quiet();
  const left = await dump();
  for (const word of ["ada-", "diary", String(ADA)]) expect(left).not.toContain(word);
  for (const word of ["grace-word", "log.txt", String(GRACE)]) expect(left).toContain(word);
  const gone = await fetch(`${pipeline.url}/v1/tasks/${running?.id}`, {
    headers: { authorization: `Bearer ${API_KEY}` },
  });
  expect(gone.status).toBe(404);
  // Telegram sends it again: it is known.
  await pipeline.hook(said);
  await pipeline.hook(held);
  await pipeline.quiet();
  expect(await dump()).not.toContain("ada-");
  expect((await forget(`telegram:${ADA}`)).status).toBe(404);
});

it("takes with it what was made of their words in a topic, and answers whoever else waited there", async () => {
  const [BOB, EVE, chat] = [77_111_003, 77_222_004, { id: -100_778, type: "supergroup", title: "Lab" }];
  const inTopic = (sender: number, text: string) => {
    const { update_id, message } = privateText(sender, text);
    return pipeline.hook({
      update_id,
      message: { ...message, chat, message_thread_id: 4, is_topic_message: true },
    });
  };
  await inTopic(BOB, "/run await scheduler.wait(2_000); return 'bob-word'");
  await until(
    async () => (await pipeline.sql("SELECT 1 FROM events WHERE type = 'started' ORDER BY at")).length > 0,
    30_000,
    "it to run",
  );
  await inTopic(EVE, "/run 'eve-secret'");
  await pipeline.quiet();
  expect(pipeline.telegram.in(chat.id).at(-1)?.text).toContain("eve-secret");
  expect((await forget(`telegram:${EVE}`)).status).toBe(200);
  const left = await dump();
  for (const word of ["eve-", String(EVE)]) expect(left).not.toContain(word);
  await inTopic(BOB, "/run 'bob-again'");
  await pipeline.quiet();
  expect(pipeline.telegram.in(chat.id).at(-1)?.text).toBe("bob-again");
});

it("leaves no file of theirs in R2, and keeps those that somebody names", async () => {
  expect(await pipeline.objects()).toHaveLength(2);
  await ringThroughDay(Date.now() + 2 * DAY_MS);
  expect(await pipeline.objects()).toHaveLength(1);
});

it("after four weeks nothing is left of anybody", async () => {
  await ringThroughDay(Date.now() + 29 * DAY_MS);
  await ringThroughDay(Date.now() + 31 * DAY_MS);
  const left = await dump();
  for (const word of ["grace-", "log.txt", String(GRACE), "task_", "msg_", "inb_", "conv_"])
    expect(left).not.toContain(word);
  expect(await pipeline.objects()).toEqual([]);
});
