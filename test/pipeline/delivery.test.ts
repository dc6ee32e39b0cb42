/** Replies without doubt: what the platform refuses, delays or leaves unanswered, and what a person then sees. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";
import type { Fault } from "../../fakes/telegram-server.ts";
import { until } from "../support/until.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({
    // A slow machine must not turn an answer at once into one with a placeholder.
    timings: { placeholder_after_ms: 60_000, platform_call_ms: 1_000, backoff_ms_max: 300 },
  });
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.telegram.reset());

/** The first `times` calls of the method meet this fault. */
function fail(method: string, fault: Fault, times = 1) {
  let left = times;
  pipeline.telegram.faultOf = (call) => (call.method === method && left-- > 0 ? fault : undefined);
}

async function ask(chatId: number, text: string) {
  await pipeline.hook(privateText(chatId, text));
  await pipeline.quiet();
  return pipeline.telegram.in(chatId).map((message) => message.text);
}

const countOf = (method: string) => pipeline.telegram.calls.filter((call) => call.method === method).length;

async function deliveryOf(chatId: number) {
  const [task] = await pipeline.sql<{ id: string }>(
    "SELECT t.id FROM tasks t JOIN conversations c ON c.id = t.conversation_id WHERE c.address LIKE ?",
    `%"${chatId}"%`,
  );
  return (await pipeline.api("GET", `/tasks/${task?.id}`)).body;
}

describe("a platform that", () => {
  it("limits the rate is obeyed: the next call comes when it said", async () => {
    fail("sendMessage", {
      status: 429,
      description: "Too Many Requests: retry after 2",
      parameters: { retry_after: 2 },
    });
    expect(await ask(51, "/run 'patient'")).toEqual(["patient"]);
    const [refused, again] = pipeline.telegram.calls.filter(({ method }) => method === "sendMessage");
    expect((again?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1_900);
    expect(countOf("sendMessage")).toBe(2);
  });

  it.each(["sendMessage", "editMessageText"])("fails at %s is asked again", async (method) => {
    fail(method, { status: 500, description: "Internal Server Error" });
    expect(await ask(method === "sendMessage" ? 52 : 53, "/run 'again'")).toEqual(["again"]);
  });

  it("posts a message without our hearing of it shows one stray preview, and one answer", async () => {
    fail("sendMessage", "cut after");
    expect(await ask(54, "/run 'doubt'")).toEqual(["doubt …", "doubt"]);
    expect((await deliveryOf(54)).delivery).toMatchObject({ state: "delivered", messages: [{ doubts: 1 }] });
  });

  it("answers through a gateway that does not know leaves a doubt in the receipt", async () => {
    fail("sendMessage", { status: 502, description: "Bad Gateway" });
    expect(await ask(63, "/run 'gateway'")).toEqual(["gateway"]);
    expect((await deliveryOf(63)).delivery).toMatchObject({ state: "delivered", messages: [{ doubts: 1 }] });
  });

  it("never lets us hear of a creation is given up after two more tries", async () => {
    fail("sendMessage", "cut after", 99);
    const shown = await ask(55, "/run 'lost'");
    expect(shown).toEqual(["lost …", "lost …", "lost …"]);
    expect((await deliveryOf(55)).delivery).toMatchObject({ state: "undeliverable" });
  });

  it("is not there when a creation is in doubt is asked nothing that could double", async () => {
    let creations = 0;
    let probes = 0;
    pipeline.telegram.faultOf = ({ method }) => {
      if (method === "sendMessage" && creations++ === 0) return "cut after";
      return method === "sendChatAction" && creations > 0 && probes++ < 2 ? "cut before" : undefined;
    };
    expect(await ask(56, "/run 'there'")).toEqual(["there …", "there"]);
    expect(probes).toBeGreaterThanOrEqual(3);
  });

  it.each([
    [57, { status: 403, description: "Forbidden: bot was blocked by the user" }],
    [58, { status: 400, description: "Bad Request: chat not found" }],
  ])("says that %i cannot be reached ends as undeliverable, with the result kept", async (chat, fault) => {
    fail("sendMessage", fault, 99);
    expect(await ask(chat, "/run 'kept'")).toEqual([]);
    const task = await deliveryOf(chat);
    expect(task).toMatchObject({ status: "succeeded", result: { text: "```\nkept\n```" } });
    expect(task.delivery).toMatchObject({
      state: "undeliverable",
      reason: expect.stringContaining(fault.description),
    });
    expect(countOf("sendMessage")).toBe(1);
  });

  it("lost the message that is to be edited gets a new one", async () => {
    fail("editMessageText", { status: 400, description: "Bad Request: message to edit not found" });
    expect(await ask(59, "/run 'new'")).toEqual(["new …", "new"]);
  });

  it("cannot read our markup gets plain text", async () => {
    fail("editMessageText", { status: 400, description: "Bad Request: can't parse entities: oops" });
    expect(await ask(60, "/run 'plain'")).toEqual(["plain"]);
    expect(pipeline.telegram.in(60)[0]?.markup).toBe("plain");
  });
});

describe("an answer", () => {
  it("longer than a message comes in parts, whole and in order, each in its own code block", async () => {
    const shown = await ask(61, "/run Array.from({ length: 1500 }, (_, n) => n).join(' 🔥 ')");
    expect(shown.length).toBeGreaterThan(2);
    expect(shown.every((part) => part.length <= 4_096 && part.isWellFormed())).toBe(true);
    expect(shown.join(" ").match(/\d+/g)?.map(Number)).toEqual(Array.from({ length: 1_500 }, (_, n) => n));
    expect(
      pipeline.telegram.in(61).every(({ markup }) => markup.startsWith("<pre>") && markup.endsWith("</pre>")),
    ).toBe(true);
  });
});

describe("a task that takes long", () => {
  let slow: Pipeline;
  beforeAll(async () => {
    slow = await openPipeline({ timings: { ping_after_ms: 2_500, progress_ms_min: 500 } });
  });
  afterAll(() => slow.close());

  it("has a silent placeholder with its progress, becomes the answer, and ends with one ping", async () => {
    await slow.hook(privateText(62, "/run await new Promise((r) => setTimeout(r, 4_000)); return 'at last'"));
    const placeholder = await until(() => slow.telegram.in(62)[0] ?? false, 10_000, "the placeholder");
    expect(placeholder).toMatchObject({
      silent: true,
      text: expect.stringMatching(/^⏳ \d s\n\nStep 1: run code$/),
    });
    await slow.quiet();
    expect(slow.telegram.in(62).map(({ text }) => text)).toEqual(["at last", "✅ Done."]);
    expect(slow.telegram.in(62)[0]?.edits).toBeGreaterThan(1);
    expect(slow.telegram.in(62)[1]?.silent).toBe(false);
  });
});
