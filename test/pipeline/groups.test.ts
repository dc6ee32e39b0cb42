/** Telegram beyond private text: groups, topics, captions, files, edits, and a group that has moved. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Pipeline, openPipeline } from "../support/pipeline.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline();
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.telegram.reset());

let ids = 1;
function update(message: object, key = "message") {
  const id = ids++;
  const from = { id: 77, is_bot: false, first_name: "Ada" };
  const chat = { id: 77, type: "private" };
  return { update_id: id, [key]: { message_id: id, date: 1, from, chat, ...message } };
}
const group = (id: number) => ({ id, type: "supergroup", title: "Lab" });
const answers = (chat: number) => pipeline.telegram.in(chat).map(({ text }) => text);

async function hear(...updates: object[]): Promise<void> {
  for (const one of updates) expect((await pipeline.hook(one)).status).toBe(200);
  await pipeline.quiet();
}

describe("in a group", () => {
  it("who is not spoken to keeps silent, and who is answers", async () => {
    const chat = group(-100_001);
    await hear(update({ chat, text: "/run@other_bot 1" }), update({ chat, text: "lunch?" }));
    expect(answers(-100_001)).toEqual([]);
    await hear(update({ chat, text: "/run@errand_test_bot 6 * 7" }));
    expect(answers(-100_001)).toEqual(["42"]);
    // The answer says to what: several people talk there.
    expect(pipeline.telegram.in(-100_001)[0]?.answers).toBe(ids - 1);
  });

  it("two people have a task each, at the same time", async () => {
    const chat = group(-100_002);
    const slow = "/run await new Promise((r) => setTimeout(r, 300)); return";
    await hear(
      update({ chat, text: `${slow} 'for Ada'` }),
      update({ chat, text: "/run 'for Grace'", from: { id: 78, is_bot: false } }),
    );
    expect(answers(-100_002).toSorted()).toEqual(["for Ada", "for Grace"]);
    const tasks = await pipeline.sql<{ n: number }>(
      "SELECT COUNT(*) AS n FROM tasks t JOIN conversations c ON c.id = t.conversation_id WHERE c.address LIKE '%-100002%'",
    );
    expect(tasks).toEqual([{ n: 2 }]);
  });

  it("a topic is answered in the topic", async () => {
    const chat = { ...group(-100_003), is_forum: true };
    await hear(update({ chat, text: "/run 'here'", is_topic_message: true, message_thread_id: 4 }));
    expect(pipeline.telegram.in(-100_003)).toMatchObject([{ text: "here", threadId: "4" }]);
    // An ordinary reply has a thread id too, and nothing can be sent to it.
    await hear(update({ chat: group(-100_004), text: "/run 'there'", message_thread_id: 4 }));
    expect(pipeline.telegram.in(-100_004)).toMatchObject([{ text: "there", threadId: null }]);
  });

  it("a topic that is gone is answered beside it", async () => {
    pipeline.telegram.goneThreads.add("9");
    const chat = { ...group(-100_006), is_forum: true };
    await hear(update({ chat, text: "/run 'here'", is_topic_message: true, message_thread_id: 9 }));
    expect(pipeline.telegram.in(-100_006)).toMatchObject([{ text: "here", threadId: null }]);
  });

  it("that has become a supergroup, the answer follows", async () => {
    pipeline.telegram.migrated.set("-5", "-100005");
    await hear(update({ chat: { id: -5, type: "group" }, text: "/run 'moved'" }));
    expect(answers(-5)).toEqual([]);
    expect(answers(-100_005)).toEqual(["moved"]);
  });
});

describe("a message", () => {
  it("with a caption is read by its caption; without words it is said that it cannot be read", async () => {
    await hear(update({ photo: [{ file_id: "p" }], caption: "/run 'caption'" }));
    expect(pipeline.telegram.in(77)).toMatchObject([{ text: "caption", answers: null }]);
    await hear(update({ voice: { file_id: "v" } }));
    expect(answers(77).at(-1)).toContain("cannot read this yet (voice)");
  });

  it("without words that moves on is not answered each time", async () => {
    const location = {
      chat: { id: 83, type: "private" },
      location: { latitude: 1, longitude: 2, live_period: 60 },
    };
    const shared = update(location);
    await hear(shared, update({ ...(shared["message"] as object), edit_date: 2 }, "edited_message"));
    expect(answers(83)).toHaveLength(1);
  });

  it("that is edited while unread is read as it was edited", async () => {
    const chat = { id: 81, type: "private" };
    const slow = update({ chat, text: "/run await new Promise((r) => setTimeout(r, 600)); return 'first'" });
    const next = update({ chat, text: "helo" });
    const edited = update({ ...(next["message"] as object), text: "hello", edit_date: 2 }, "edited_message");
    await hear(slow, next, edited);
    expect(answers(81).join("\n")).toContain("hello");
    expect(answers(81).join("\n")).not.toContain("helo\n");
  });

  it("with a command is not run again when it is edited", async () => {
    const chat = { id: 82, type: "private" };
    const once = update({ chat, text: "/run 'once'" });
    await hear(once);
    await hear(
      update({ ...(once["message"] as object), text: "/run 'twice'", edit_date: 2 }, "edited_message"),
    );
    expect(answers(82)).toEqual(["once"]);
  });
});
