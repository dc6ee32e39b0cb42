/** Control overtakes work, and no message is ever swallowed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";
import { until } from "../support/until.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({ timings: { code_wall_ms: FOR_EVER_MS } });
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.telegram.reset());

const SLOW = "/run await scheduler.wait(1_500); return 'slow'";
/** Longer than anybody here waits. */
const FOR_EVER_MS = 100_000;
const ENDLESS = `/run await scheduler.wait(${FOR_EVER_MS}); return 'late'`;

const tell = async (chatId: number, text: string) =>
  expect((await pipeline.hook(privateText(chatId, text))).status).toBe(200);

/** Waits until the chat's newest task is in its first call. */
const running = (nth = 1) =>
  until(
    async () =>
      (await pipeline.sql("SELECT 1 FROM events WHERE type = 'started' AND turn = 1")).length >= nth,
    30_000,
    "the call to start",
  );

async function texts(chatId: number) {
  await pipeline.quiet();
  return pipeline.telegram.in(chatId).map(({ text }) => text);
}

describe("/stop", () => {
  it("in the middle of a task, with three unread messages behind it, has one answer, which says so", async () => {
    await tell(41, ENDLESS);
    await running();
    for (const text of ["one", "two", "three"]) await tell(41, text);
    await tell(41, "/stop");
    expect(await texts(41)).toEqual(["⏹ Stopped. Unread messages that went with it: 3."]);
    await tell(41, "/run 'after'");
    expect(await texts(41)).toEqual([expect.stringContaining("Stopped"), "after"]);
  });

  it("names the task by the beginning of its id, and does not stop another", async () => {
    await tell(42, ENDLESS);
    const [task] = await until(
      async () => {
        const rows = await pipeline.sql<{ id: string }>(
          "SELECT id FROM tasks WHERE state IN ('queued', 'running')",
        );
        return rows.length > 0 && rows;
      },
      30_000,
      "the task",
    );
    await tell(42, "/stop zzzz");
    await tell(42, `/stop ${task?.id.slice("task_".length, 13)}`);
    const shown = await texts(42);
    expect(shown).toHaveLength(2);
    expect(shown).toContain("⏹ Stopped.");
    expect(shown).toContain("No running task has an id that begins with zzzz.");
  });

  it("delivered again after a later message stops nothing more", async () => {
    const stop = privateText(43, "/stop");
    await tell(43, ENDLESS);
    await pipeline.hook(stop);
    await tell(43, "/run 'kept'");
    await Promise.all(Array.from({ length: 5 }, () => pipeline.hook(stop)));
    expect(await texts(43)).toEqual(["⏹ Stopped.", "kept"]);
  });
});

describe("a message", () => {
  it("that comes while a task runs is answered, with it or after it", async () => {
    await tell(44, SLOW);
    await running();
    await tell(44, "/run 'second'");
    const all = (await texts(44)).join("\n");
    expect(all).toContain("slow");
    expect(all.indexOf("second")).toBeGreaterThan(all.indexOf("slow"));
  });

  it("at the very end of a task is never swallowed", async () => {
    const chats = Array.from({ length: 20 }, (_, index) => 4_500 + index);
    await Promise.all(
      chats.map(async (chat, index) => {
        await tell(chat, "/run 'first'");
        await new Promise((resolve) => setTimeout(resolve, index * 12));
        await tell(chat, "/run 'last'");
      }),
    );
    await pipeline.quiet();
    for (const chat of chats) {
      const all = pipeline.telegram
        .in(chat)
        .map(({ text }) => text)
        .join("\n");
      expect(all.match(/^first$/gm), all).toHaveLength(1);
      expect(all.match(/^last$/gm), all).toHaveLength(1);
    }
  });
});

describe("a task", () => {
  it("past its deadline is ended with words, and what is unread goes on", async () => {
    const hurried = await openPipeline({ timings: { task_deadline_ms: 5_000, code_wall_ms: FOR_EVER_MS } });
    try {
      const said = () => hurried.telegram.in(45).map(({ text }) => text);
      await hurried.hook(privateText(45, ENDLESS));
      await until(async () => (await hurried.sql("SELECT 1 FROM calls")).length > 0, 30_000, "the call");
      await hurried.hook(privateText(45, "/run 'next'"));
      await until(
        async () => {
          await hurried.ring();
          return said().includes("next");
        },
        60_000,
        "the next answer",
      );
      expect(said()[0]).toContain("It took longer than 5 s");
    } finally {
      await hurried.close();
    }
  });
});
