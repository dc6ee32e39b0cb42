/** A message from Telegram crosses the pipeline: in, planned, done, answered once. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline();
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.telegram.reset());

async function say(chatId: number, ...texts: string[]) {
  for (const text of texts) expect((await pipeline.hook(privateText(chatId, text))).status).toBe(200);
  await pipeline.quiet();
  return pipeline.telegram.in(chatId).map(({ text }) => text);
}

describe("a private message", () => {
  it("is answered with one message, created with its first words and edited to the whole", async () => {
    expect(await say(11, "/run 6 * 7")).toEqual(["42"]);
    const [answer] = pipeline.telegram.in(11);
    expect(answer).toMatchObject({ edits: 1, silent: false });
    // On a busy machine a sign of life may come before.
    const shows = pipeline.telegram.calls.filter(({ method }) => method !== "sendChatAction");
    expect(shows.map(({ method }) => method)).toEqual(["sendMessage", "editMessageText"]);
    expect(shows[0]?.body["text"]).toBe("42 …");
  });

  it("without a model is answered honestly, in its own words", async () => {
    const [text] = await say(12, "How deep is the Loch Ness?");
    expect(text).toContain("How deep is the Loch Ness?");
    expect(text).toContain("no model");
  });

  it("delivered fifty times at once is one task and one answer", async () => {
    const update = privateText(13, "/run 'once'");
    const answers = await Promise.all(Array.from({ length: 50 }, () => pipeline.hook(update)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    await pipeline.quiet();
    expect(pipeline.telegram.in(13).map(({ text }) => text)).toEqual(["once"]);
  });

  it("behind another in quick succession is answered too, in order and in the words of each", async () => {
    const texts = await say(14, "/run 'first'", "/run 'second'");
    const all = texts.join("\n");
    expect(all.match(/first/g)?.length).toBeGreaterThan(0);
    expect(all.lastIndexOf("second")).toBeGreaterThan(all.indexOf("first"));
    expect(pipeline.telegram.answersIn(14)).toHaveLength(texts.length);
  });
});

describe("commands", () => {
  it("/help lists what is understood", async () => {
    expect(await say(21, "/help")).toEqual([expect.stringContaining("/run <code>")]);
  });

  it("/status and /tasks say how tasks are doing", async () => {
    await say(22, "/run 1");
    const [, status, tasks] = await say(22, "/status", "/tasks");
    expect(status).toMatch(/succeeded, 2 turns/);
    expect(tasks).toMatch(/succeeded, 2 turns/);
  });

  it("/stop and /status want enough of an id to mean one task", async () => {
    const wanted = expect.stringContaining("at least 4 characters");
    expect(await say(24, "/stop a", "/status abc")).toEqual([wanted, wanted]);
  });

  it("/stop says that nothing runs, /new that it forgets, and an unknown one that it is unknown", async () => {
    const texts = await say(23, "/stop", "/new", "/dance");
    expect(texts).toEqual([
      "Nothing is running.",
      expect.stringContaining("forgotten"),
      expect.stringContaining("/dance"),
    ]);
  });
});
