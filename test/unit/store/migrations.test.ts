/** What rows of versions before become. */
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { InboundEvent } from "../../../shared/contracts/inbound.ts";
import { MessageContent } from "../../../shared/contracts/message.ts";
import { rows } from "../database.ts";

const { DB: db, MIGRATIONS } = env as unknown as { DB: D1Database; MIGRATIONS: D1Migration[] };
const ORIGIN = { channel: "telegram", dedupKey: "1:5", address: { chatId: "5" }, sender: { id: "5" } };
const EVENTS = {
  message: { ...ORIGIN, kind: "message", text: "hi", messageId: "7", attachments: ["voice"] },
  bare: { ...ORIGIN, text: "hi", messageId: "7" },
  command: { ...ORIGIN, kind: "command", text: "/run 6 *\n 7", messageId: "7", isGroup: true },
  short: { ...ORIGIN, kind: "command", text: "/help", messageId: "7" },
  callback: { ...ORIGIN, kind: "callback", text: "stop:x", callbackId: "q", messageId: "8" },
  moved: { ...ORIGIN, kind: "moved", text: "", movedTo: "-9", isGroup: true },
};
const TEXTS = { run: "/RUN\n6 * 7 ", bare: "/run", other: "/running late", words: "hi" };

async function insert(): Promise<void> {
  const inbound = db.prepare(
    "INSERT INTO inbound (id, tenant_id, channel, conversation_id, event, state, received_at) VALUES (?, 'default', 'telegram', 'c', ?, 'new', 1)",
  );
  const message = db.prepare(
    "INSERT INTO messages (id, conversation_id, content, created_at) VALUES (?, 'c', ?, 1)",
  );
  const conversation = db.prepare(
    "INSERT INTO conversations (id, tenant_id, channel, address, created_at) VALUES (?, 'default', ?, ?, 1)",
  );
  await db.batch([
    ...Object.entries(EVENTS).map(([id, event]) => inbound.bind(id, JSON.stringify(event))),
    inbound.bind("unreadable", null),
    ...Object.entries(TEXTS).map(([id, text]) => message.bind(id, JSON.stringify({ type: "text", text }))),
    conversation.bind("chat", "telegram", '{"chatId":"5","threadId":"4"}'),
    conversation.bind("program", "api", '{"chatId":"mine"}'),
  ]);
}

beforeAll(async () => {
  const at = MIGRATIONS.findIndex(({ name }) => name.startsWith("0007"));
  await applyD1Migrations(db, MIGRATIONS.slice(0, at));
  await insert();
  await applyD1Migrations(db, MIGRATIONS);
});

describe("0007", () => {
  it("makes events of what had not been read", async () => {
    const read = await rows<{ id: string; event: string | null }>(db, "SELECT id, event FROM inbound");
    const events = Object.fromEntries(
      read.map(({ id, event }) => [id, event === null ? null : InboundEvent.parse(JSON.parse(event))]),
    );
    const address = { channel: "telegram", chatId: "5" };
    const origin = { dedupKey: "1:5", address, sender: { id: "5" }, isGroup: false };
    expect(events).toEqual({
      message: { ...origin, kind: "message", text: "hi", messageId: "7", unreadable: ["voice"] },
      bare: { ...origin, kind: "message", text: "hi", messageId: "7" },
      command: {
        ...origin,
        kind: "command",
        isGroup: true,
        text: "/run 6 *\n 7",
        messageId: "7",
        command: { name: "run", args: "6 *\n 7" },
      },
      short: {
        ...origin,
        kind: "command",
        text: "/help",
        messageId: "7",
        command: { name: "help", args: "" },
      },
      callback: { ...origin, kind: "callback", data: "stop:x", callbackId: "q", messageId: "8" },
      moved: { ...origin, kind: "group_migrated", isGroup: true, toChatId: "-9" },
      unreadable: null,
    });
    // Nothing of the old shape is left.
    for (const { event } of read) expect(event ?? "").not.toMatch(/attachments|movedTo/);
  });

  it("keeps the commands that tools carry out", async () => {
    const read = await rows<{ id: string; content: string }>(db, "SELECT id, content FROM messages");
    const contents = read.map(({ id, content }) => [id, MessageContent.parse(JSON.parse(content))]);
    expect(Object.fromEntries(contents)).toEqual({
      run: { type: "text", text: TEXTS.run, command: { name: "run", args: "6 * 7" } },
      bare: { type: "text", text: TEXTS.bare },
      other: { type: "text", text: TEXTS.other },
      words: { type: "text", text: TEXTS.words },
    });
  });

  it("tells addresses apart by their channel", async () => {
    const read = await rows<{ id: string; address: string }>(db, "SELECT id, address FROM conversations");
    expect(Object.fromEntries(read.map(({ id, address }) => [id, JSON.parse(address)]))).toEqual({
      chat: { channel: "telegram", chatId: "5", threadId: "4" },
      program: { channel: "api", name: "mine" },
    });
  });
});
