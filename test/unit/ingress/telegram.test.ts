/** What Telegram's updates say: who speaks, where, to whom, and in which words. */
import { describe, expect, it } from "vitest";
import { readBody } from "../../../shared/body.ts";
import { makeInbound } from "../../../workers/ingress/accept.ts";
import { telegram } from "../../../workers/ingress/channels/telegram/receiver.ts";

const BOT = { TELEGRAM_BOT_ID: "4242", TELEGRAM_BOT_USERNAME: "errand_test_bot" };
const ADA = { id: 77, is_bot: false, first_name: "Ada" };
const PRIVATE = { id: 77, type: "private" };
const GROUP = { id: -100_500, type: "supergroup", title: "Lab" };

const update = (message: object, key = "message") => ({
  update_id: 9,
  [key]: { message_id: 5, date: 1, from: ADA, chat: PRIVATE, ...message },
});
const inGroup = (message: object) => update({ chat: GROUP, ...message });
const receive = async (body: string, settings: object = BOT) => {
  const url = new URL("http://errand/hooks/telegram");
  const request = { method: "POST", url, headers: new Headers(), now: 0, verify: false };
  return telegram.receive({ ...request, body: await readBody(new Response(body), 1_000_000) }, settings);
};
/** What one update says: an event, or why it is ignored. */
const read = async (body: object, settings: object = BOT) => {
  const received = await receive(JSON.stringify(body), settings);
  if (received.kind !== "received") throw new Error(received.kind);
  const { events, ignored, unreadable } = received;
  expect(unreadable).toBeNull();
  expect(events.length + ignored.length).toBe(1);
  return { event: events[0], ignored: ignored[0] };
};
const mention = (text: string) => {
  const name = "@errand_test_bot";
  return {
    text,
    entities: [{ type: "mention", offset: text.toLowerCase().indexOf(name), length: name.length }],
  };
};

const IN_PRIVATE = { channel: "telegram", chatId: "77" };
const IN_GROUP = { channel: "telegram", chatId: "-100500" };
const EVENT = {
  dedupKey: "9:77",
  address: IN_PRIVATE,
  sender: { id: "77" },
  isGroup: false,
  messageId: "5",
};

describe("a private message", () => {
  it.each<[string, object, object]>([
    ["words", { text: " hello there" }, { kind: "message", text: " hello there" }],
    [
      "a caption",
      { caption: "what is this?", photo: [{ file_id: "small" }, { file_id: "large" }] },
      {
        text: "what is this?",
        files: [{ kind: "photo", id: "large", name: "photo.jpg", mime: "image/jpeg" }],
      },
    ],
    [
      "a file that is not as it should be",
      { caption: "what is this?", photo: [{}] },
      { text: "what is this?", unreadable: ["photo"] },
    ],
    [
      "a file without words",
      { document: { file_id: "x", file_name: "../a.txt" } },
      { text: "", files: [{ kind: "document", id: "x", name: "a.txt", mime: "application/octet-stream" }] },
    ],
    ["a voice", { voice: { file_id: "v" } }, { text: "", unreadable: ["voice"] }],
    [
      "a command",
      { text: "/RUN@errand_test_bot  6 * 7\n+ 1" },
      { kind: "command", text: "/run 6 * 7\n+ 1", command: { name: "run", args: "6 * 7\n+ 1" } },
    ],
    ["a mention", mention("@Errand_Test_Bot hi"), { kind: "message", text: "hi" }],
    [
      "an answer",
      { text: "why?", reply_to_message: { message_id: 3, text: "42" } },
      { text: "why?", quote: "42" },
    ],
    [
      "a forwarded message",
      {
        text: "I will pay",
        forward_origin: { type: "user", date: 1, sender_user: { id: 3, first_name: "Grace <b>" } },
      },
      { kind: "message", text: "I will pay", forwardedFrom: "Grace b" },
    ],
    [
      "a message forwarded from somebody who hides",
      { text: "x", forward_origin: { type: "hidden_user", date: 1, sender_user_name: "Grace H" } },
      { forwardedFrom: "Grace H" },
    ],
    [
      "a channel's post, forwarded",
      { text: "x", forward_origin: { type: "channel", chat: { id: -7, title: "Harbour" }, message_id: 3 } },
      { forwardedFrom: "the channel Harbour" },
    ],
    [
      "a forwarded command, whatever it comes from",
      { text: "/admit abc", forward_origin: { type: "new", sender_user: 7 } },
      { kind: "message", text: "/admit abc", forwardedFrom: "somebody" },
    ],
    ["a sender without is_bot", { text: "x", from: { id: 77 } }, { text: "x" }],
    ["a thread that is no topic", { text: "x", message_thread_id: 4 }, { address: IN_PRIVATE }],
  ])("with %s", async (_, message, expected) => {
    const { event } = await read(update(message));
    expect(event).toEqual(expect.objectContaining({ ...EVENT, ...expected }));
  });

  it("that was edited says so", async () => {
    const edited = await read(update({ text: "better", edit_date: 2 }, "edited_message"));
    expect(edited).toMatchObject({ event: { text: "better", edited: true, messageId: "5" } });
  });

  it.each<[string, object]>([
    ["a bot", { text: "x", from: { ...ADA, is_bot: true } }],
    ["a pin", { pinned_message: { message_id: 1, text: "old" } }],
    ["a channel", { text: "x", chat: { id: -7, type: "channel" } }],
  ])("of %s is ignored", async (_, message) => {
    expect(await read(update(message))).toMatchObject({ ignored: { dedupKey: expect.any(String) } });
  });
});

describe("a group", () => {
  const root = { message_id: 1, from: { id: 4242, is_bot: true, username: "errand_test_bot" } };
  it.each<[string, object, string]>([
    ["the bot", mention("🔥👩‍👩‍👧‍👧 @errand_test_bot deploy it"), "🔥👩‍👩‍👧‍👧  deploy it"],
    [
      "the bot, by its id",
      { text: "You there", entities: [{ type: "text_mention", offset: 0, length: 3, user: { id: 4242 } }] },
      "there",
    ],
    ["the bot, by a command", { text: "/help" }, "/help"],
    ["the bot, by a command with its name", { text: "/help@ERRAND_test_bot" }, "/help"],
    ["the bot, by answering it", { text: "and then?", reply_to_message: root }, "and then?"],
  ])("answers who speaks to %s", async (_, message, text) => {
    const event = { text, isGroup: true, address: IN_GROUP };
    expect(await read(inGroup(message))).toMatchObject({ event });
  });

  it.each<[string, object]>([
    ["nobody in particular", { text: "lunch?" }],
    ["somebody else, in what is forwarded", { ...mention("@errand_test_bot pay"), forward_origin: {} }],
    ["somebody else, by a command that is forwarded", { text: "/admit", forward_origin: {} }],
    ["another bot", { text: "@errand_test_bot2 hi", entities: [{ type: "mention", offset: 0, length: 17 }] }],
    ["another bot, by a command", { text: "/help@other_bot" }],
    ["a person, by answering", { text: "yes", reply_to_message: { message_id: 1, from: ADA } }],
    [
      "all in a topic that the bot has opened",
      { text: "x", reply_to_message: { ...root, forum_topic_created: {} } },
    ],
  ])("leaves alone who speaks to %s", async (_, message) => {
    expect(await read(inGroup(message))).toMatchObject({ ignored: { reason: "not said to this bot" } });
  });

  it("is taken as Telegram delivers it by a bot that does not know its name", async () => {
    expect(await read(inGroup({ text: "lunch?" }), {})).toMatchObject({ event: { text: "lunch?" } });
  });

  it("answers in the topic", async () => {
    const topic = { message_thread_id: 4, is_topic_message: true, text: "/help" };
    expect(await read(inGroup(topic))).toMatchObject({ event: { address: { ...IN_GROUP, threadId: "4" } } });
  });

  it("hears an administrator who stays anonymous, and no channel", async () => {
    const anonymous = {
      from: { id: 1_087_968_824, is_bot: true, username: "GroupAnonymousBot" },
      text: "/help",
    };
    expect(await read(inGroup({ ...anonymous, sender_chat: GROUP }))).toMatchObject({
      // No name has brackets, so nobody can be taken for them.
      event: { sender: { id: "-100500", name: "(an admin)" } },
    });
    const channel = { id: -9, type: "channel" };
    expect((await read(inGroup({ ...anonymous, sender_chat: channel }))).ignored).toBeDefined();
  });

  it("is a conversation for each person, and one for each topic", async () => {
    const of = async (message: object) => {
      const { event } = await read(inGroup({ text: "/help", ...message }));
      if (event === undefined) throw new Error("ignored");
      const body = await readBody(new Response("{}"), 10);
      const [row] = await makeInbound("telegram", body, { events: [event], unreadable: null });
      return row?.conversationId;
    };
    const topic = { message_thread_id: 4, is_topic_message: true };
    const grace = { ...ADA, id: 78 };
    expect(await of({})).not.toBe(await of({ from: grace }));
    // Who speaks is known by name, which cannot pass for anything else.
    expect(
      await read(inGroup({ text: "/help", from: { ...ADA, first_name: "[Ada]: <b>［(an admin)】\u200b" } })),
    ).toMatchObject({
      event: { sender: { id: "77", name: "Ada ban admin" } },
    });
    expect(await of(topic)).toBe(await of({ ...topic, from: grace }));
    expect(await of(topic)).not.toBe(await of({ ...topic, message_thread_id: 5 }));
  });
});

describe("other updates", () => {
  it("of a button hold what it says", async () => {
    const query = { id: "q1", from: ADA, message: { message_id: 8, chat: PRIVATE, date: 0 }, data: "stop" };
    expect(await read({ update_id: 0, callback_query: query })).toMatchObject({
      event: { kind: "callback", data: "stop", callbackId: "q1", dedupKey: "0:77" },
    });
  });

  it.each<[string, object, object]>([
    ["an unknown kind", { update_id: 1, new_kind: { x: 1 } }, { dedupKey: "1" }],
    [
      "a reaction",
      { update_id: 1, message_reaction: { chat: PRIVATE, user: ADA, new_reaction: [] } },
      { dedupKey: "1", address: IN_PRIVATE, userId: "77" },
    ],
    [
      "a block",
      {
        update_id: 0,
        my_chat_member: {
          chat: { id: 0, type: "private" },
          from: ADA,
          new_chat_member: { status: "kicked" },
        },
      },
      { address: { channel: "telegram", chatId: "0" }, userId: "77" },
    ],
    [
      "an inline button",
      { update_id: 3, callback_query: { id: "q", from: ADA, inline_message_id: "i" } },
      { userId: "77" },
    ],
    ["a reaction", { update_id: 3, message_reaction: { chat: GROUP, new_reaction: [] } }, { dedupKey: "3" }],
  ])("of %s are ignored", async (_, body, ignored) => {
    expect(await read(body)).toMatchObject({ ignored });
  });

  it.each([
    ["not JSON", "{"],
    ["a message without a chat", '{"update_id":1,"message":{"message_id":1}}'],
  ])("that are %s are unreadable", async (_, body) => {
    expect(await receive(body)).toMatchObject({ events: [], unreadable: expect.any(String) });
  });
});
