/** The button under a running task: it stops it, and whoever pressed it is told so in time. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";
import { until } from "../support/until.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({
    timings: { placeholder_after_ms: 200, progress_ms_min: 200, sign_after_ms: 0, callback_ms: 900 },
  });
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.telegram.reset());

const SLOW = "/run await new Promise((r) => setTimeout(r, 1_500)); return 'slow'";
const texts = (chat: number) => pipeline.telegram.in(chat).map(({ text }) => text);
const answers = () =>
  pipeline.telegram.calls
    .filter(({ method }) => method === "answerCallbackQuery")
    .map(({ body }) => body["text"]);

let ids = 1;
async function press(chat: number, data: string, from = chat): Promise<void> {
  const id = ids++;
  const query = {
    id: `q${id}`,
    from: { id: from, is_bot: false, first_name: "Ada" },
    message: { message_id: 1, date: 1, chat: { id: chat, type: "private" } },
    data,
  };
  pipeline.telegram.pressed.add(query.id);
  const update = { update_id: id, callback_query: query };
  // Telegram brings it again when it is not sure that we have it.
  for (let i = 0; i < 2; i++) expect((await pipeline.hook(update)).status).toBe(200);
  await pipeline.quiet();
}

/** The button that is shown under the task which runs in this chat. */
async function buttonIn(chat: number): Promise<string> {
  await pipeline.hook(privateText(chat, SLOW));
  return until(
    () => Promise.resolve(pipeline.telegram.in(chat)[0]?.buttons[0] ?? false),
    5_000,
    "the placeholder and its button",
  );
}

it("stops the task, says so once, and goes with the answer", async () => {
  const button = await buttonIn(1);
  expect(texts(1)[0]).toMatch(/^⏳ \d+ s/);
  await press(1, button);
  expect(pipeline.telegram.in(1)).toMatchObject([{ text: "⏹ Stopped.", buttons: [] }]);
  expect(answers()).toEqual(["Stopped."]);
});

it("of a task that has ended stops nothing, and says so", async () => {
  const button = await buttonIn(2);
  await press(2, button);
  await pipeline.hook(privateText(2, "/run 'next'"));
  await press(2, button);
  expect(texts(2)).toEqual(["⏹ Stopped.", "next"]);
  expect(answers()).toEqual(["Stopped.", "There is nothing of yours to stop here."]);
});

it("stops nobody else's task, and what is no button of ours does nothing", async () => {
  const button = await buttonIn(3);
  await press(4, button);
  await press(3, "buy");
  expect(answers()).toEqual([
    "There is nothing of yours to stop here.",
    "This button does nothing any more.",
  ]);
  expect(texts(3)).toEqual(["slow"]);
});

it("that is heard too late is acted on, and the platform not bothered", async () => {
  const button = await buttonIn(5);
  pipeline.telegram.faultOf = ({ method }) =>
    method === "answerCallbackQuery"
      ? { status: 429, description: "Too Many Requests", parameters: { retry_after: 1 } }
      : undefined;
  await press(5, button);
  expect(answers()).toHaveLength(1);
  expect(texts(5)).toEqual(["⏹ Stopped."]);
  const [reply] = await pipeline.sql(
    "SELECT state, reason FROM replies WHERE callback_id IS NOT NULL ORDER BY created_at DESC",
  );
  expect(reply).toEqual({ state: "undeliverable", reason: "too late for the platform to hear" });
});

it("that the platform has forgotten is no reason to try again", async () => {
  const button = await buttonIn(6);
  pipeline.telegram.faultOf = ({ method }) =>
    method === "answerCallbackQuery"
      ? { status: 400, description: "Bad Request: query is too old and response timeout expired" }
      : undefined;
  await press(6, button);
  expect(answers()).toHaveLength(1);
  expect(texts(6)).toEqual(["⏹ Stopped."]);
});
