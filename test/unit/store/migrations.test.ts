/** What rows of versions before become. */
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { TaskEvent } from "../../../shared/contracts/event.ts";
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
  aside: { ...ORIGIN, kind: "message", text: "", messageId: "7", isGroup: true, albumId: "a", isAside: true },
  moved: { ...ORIGIN, kind: "moved", text: "", movedTo: "-9", isGroup: true },
};
const TEXTS = { run: "/RUN\n6 * 7 ", bare: "/run", other: "/running late", words: "hi" };

/** Rows of before 0007. */
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

/** Rows of before 0008: a task that was planned, called and narrated, one that was stopped, and what went with them. */
const BEFORE_0008 = [
  `INSERT INTO tasks (id, tenant_id, conversation_id, state, deadline_at, ended_by, created_at) VALUES
    ('task_a', 'default', 'c1', 'succeeded', 9, 'workflow', 1), ('task_b', 'default', 'c1', 'cancelled', 9, 'stop:inb_z', 1)`,
  `INSERT INTO messages (id, conversation_id, content, turn_id, external_id, created_at) VALUES
    ('msg_a', 'c1', '{}', 'task_a/1', '70', 1), ('msg_b', 'c1', '{}', 'task_b/12', '71', 1), ('msg_e', 'c1', '{}', 'task_a/end', NULL, 1),
    ('msg_s', 'c1', '{}', 'stop:inb_z', NULL, 1), ('msg_u', 'c1', '{}', NULL, NULL, 1)`,
  `INSERT INTO inbound (id, tenant_id, channel, conversation_id, event, state, received_at) VALUES
    ('inb_b', 'default', 'telegram', 'c1', '{"messageId":"71"}', 'handled', 1)`,
  `INSERT INTO replies (id, tenant_id, conversation_id, text, state, created_at) VALUES
    ('task_a', 'default', 'c1', 'x', 'delivered', 1), ('task_b', 'default', 'c1', 'x', 'open', 1)`,
  `INSERT INTO events (seq, task_id, key, at, data) VALUES
    (3, 'task_a', 'accepted', 10, '{"message":"msg_a","channel":"telegram"}'), (4, 'task_a', 'queued', 10, NULL),
    (5, 'inb_b', 'delivered', 11, '{"messages":["1"],"reason":null}'),
    (6, 'task_a', 'text 12 at 1790000000000', 12, '{"turn":12,"attempt":"abc","text":"Once"}'),
    (7, 'task_a', 'text 12 at 1790000000001, end', 12, '{"turn":12,"attempt":"abc","text":" upon"}'),
    (8, 'task_a', 'delayed 12 at 1790000000002', 13, '{"reason":"busy","retry_after_ms":5}'),
    (9, 'task_a', 'planned 12', 14, '{"model":"m","calls":1,"read":["msg_a"]}'),
    (10, 'task_a', 'started 12.3', 15, '{"tool":"run_code"}'),
    (11, 'task_a', 'observed 12.3', 16, '{"ok":true,"latency_ms":4}'),
    (12, 'task_a', 'ended', 17, '{"state":"succeeded"}'),
    (13, 'task_b', 'ended', 18, '{"state":"cancelled","by":"stop:inb_z"}'),
    (14, 'task_a', 'delivered', 19, '{"messages":["1"],"reason":null}')`,
];

/** Rows of before 0009: who said what was not kept, and files were known by their content. */
const BEFORE_0009 = [
  `INSERT INTO inbound (id, tenant_id, channel, event, state, received_at) VALUES
    ('inb_t1', 'default', 'telegram', '{"sender":{"id":"41"}}', 'handled', 1)`,
  `INSERT INTO conversations (id, tenant_id, channel, address, created_at) VALUES
    ('c9', 'default', 'telegram', '{"channel":"telegram","chatId":"42"}', 1), ('g9', 'default', 'telegram', '{"channel":"telegram","chatId":"-42"}', 1)`,
  `INSERT INTO messages (id, conversation_id, content, starts_task_id, task_id, created_at) VALUES
    ('msg_t1', 'g9', '{}', 'task_t1', 'task_t1', 1), ('msg_t2', 'c9', '{}', 'task_t2', 'task_t2', 1), ('msg_t3', 'g9', '{}', 'task_t3', 'task_t3', 1)`,
  `INSERT INTO tasks (id, tenant_id, conversation_id, message_id, state, deadline_at, created_at) VALUES
    ('task_t1', 'default', 'g9', 'msg_t1', 'succeeded', 9, 1), ('task_t2', 'default', 'c9', 'msg_t2', 'running', 9, 1)`,
  `INSERT INTO calls (task_id, turn, call, tool, input, ok, result) VALUES
    ('task_t1', 1, 1, 'run_code', '{}', 1, 'fine'), ('task_t1', 1, 2, 'run_code', '{}', 0, 'bad'), ('task_t2', 1, 1, 'run_code', '{}', NULL, NULL)`,
  `INSERT INTO artifacts (task_id, sha256, turn, call, position, name, mime, bytes) VALUES
    ('task_t1', 'b', 1, 1, 0, 'first', 'x', 1), ('task_t1', 'a', 1, 1, 1, 'second', 'x', 2), ('task_t1', 'c', 2, 0, 0, 'answer.md', 'x', 3)`,
];

beforeAll(async () => {
  const before = (number: string) =>
    MIGRATIONS.slice(
      0,
      MIGRATIONS.findIndex(({ name }) => name.startsWith(number)),
    );
  await applyD1Migrations(db, before("0007"));
  await insert();
  await applyD1Migrations(db, before("0008"));
  await db.batch(BEFORE_0008.map((sql) => db.prepare(sql)));
  await applyD1Migrations(db, before("0009"));
  await db.batch(BEFORE_0009.map((sql) => db.prepare(sql)));
  await applyD1Migrations(db, MIGRATIONS);
});

describe("0009 and later", () => {
  it("tell who said a message, and whose task it is, as far as that is known", async () => {
    const read = await rows(db, "SELECT id, sender FROM messages WHERE id LIKE 'msg_t%' ORDER BY id");
    expect(read).toEqual([
      { id: "msg_t1", sender: "telegram:41" },
      { id: "msg_t2", sender: "telegram:42" },
      { id: "msg_t3", sender: null },
    ]);
    expect(await rows(db, "SELECT id, sender FROM tasks WHERE id LIKE 'task_t%' ORDER BY id")).toEqual([
      { id: "task_t1", sender: "telegram:41" },
      { id: "task_t2", sender: "telegram:42" },
    ]);
  });

  it("keep what calls brought, and the files in their order", async () => {
    expect(
      await rows(
        db,
        "SELECT output, value, error FROM calls WHERE task_id LIKE 'task_t%' ORDER BY task_id, call",
      ),
    ).toEqual([
      { output: "fine", value: null, error: null },
      { output: "", value: null, error: "bad" },
      { output: null, value: null, error: null },
    ]);
    const files = await rows<{ name: string }>(
      db,
      "SELECT name FROM artifacts ORDER BY turn, call, position",
    );
    expect(files.map(({ name }) => name)).toEqual(["first", "second", "answer.md"]);
  });
});

describe("0007", () => {
  it("makes events of what had not been read", async () => {
    const read = await rows<{ id: string; event: string | null }>(
      db,
      "SELECT id, event FROM inbound WHERE conversation_id = 'c'",
    );
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
      aside: {
        ...origin,
        kind: "message",
        isGroup: true,
        text: "",
        messageId: "7",
        albumId: "a",
        isToOthers: true,
      },
      moved: { ...origin, kind: "group_migrated", isGroup: true, toChatId: "-9" },
      unreadable: null,
    });
    // Nothing of the old shape is left.
    for (const { event } of read) expect(event ?? "").not.toMatch(/attachments|movedTo|isAside/);
  });

  it("keeps the commands that tools carry out", async () => {
    const read = await rows<{ id: string; content: string }>(
      db,
      "SELECT id, content FROM messages WHERE conversation_id = 'c'",
    );
    const contents = read.map(({ id, content }) => [id, MessageContent.parse(JSON.parse(content))]);
    expect(Object.fromEntries(contents)).toEqual({
      run: { type: "text", text: TEXTS.run, command: { name: "run", args: "6 * 7" } },
      bare: { type: "text", text: TEXTS.bare },
      other: { type: "text", text: TEXTS.other },
      words: { type: "text", text: TEXTS.words },
    });
  });

  it("tells addresses apart by their channel", async () => {
    const read = await rows<{ id: string; address: string }>(
      db,
      "SELECT id, address FROM conversations WHERE id IN ('chat', 'program')",
    );
    expect(Object.fromEntries(read.map(({ id, address }) => [id, JSON.parse(address)]))).toEqual({
      chat: { channel: "telegram", chatId: "5", threadId: "4" },
      program: { channel: "api", name: "mine" },
    });
  });
});

describe("0008", () => {
  it("keeps the receipt, its numbers and what they told", async () => {
    const read = await rows<{ task_id: string; data: string }>(db, "SELECT * FROM events ORDER BY seq");
    const events = read.map(({ task_id: taskId, data, ...event }) => ({
      taskId,
      ...TaskEvent.parse({ ...event, data: JSON.parse(data) }),
    }));
    const at = (taskId: string, seq: number, ms: number, turn: number | null, call: number | null) => ({
      taskId,
      seq,
      at: ms,
      turn,
      call,
      attempt: null,
    });
    const text = { ...at("task_a", 6, 12, 12, null), type: "text", attempt: "abc" };
    expect(events).toEqual([
      {
        ...at("task_a", 3, 10, null, null),
        type: "accepted",
        data: { message: "msg_a", channel: "telegram" },
      },
      { ...at("task_a", 4, 10, null, null), type: "queued", data: {} },
      { ...text, data: { text: "Once" } },
      { ...text, seq: 7, data: { text: " upon" } },
      { ...at("task_a", 8, 13, 12, null), type: "delayed", data: { reason: "busy", retry_after_ms: 5 } },
      { ...at("task_a", 9, 14, 12, null), type: "planned", data: { model: "m", calls: 1, read: ["msg_a"] } },
      { ...at("task_a", 10, 15, 12, 3), type: "started", data: { tool: "run_code" } },
      { ...at("task_a", 11, 16, 12, 3), type: "observed", data: { ok: true, latency_ms: 4, files: [] } },
      {
        ...at("task_a", 12, 17, null, null),
        type: "ended",
        data: { state: "succeeded", by: "workflow", reason: null },
      },
      {
        ...at("task_b", 13, 18, null, null),
        type: "ended",
        data: { state: "cancelled", by: "stop:inb_z", reason: null },
      },
      { ...at("task_a", 14, 19, null, null), type: "delivered", data: { messages: ["1"], reason: null } },
    ]);
  });

  it("tells who read a message, and which task it begins", async () => {
    const read = await rows<{ id: string }>(
      db,
      "SELECT id, starts_task_id, task_id, turn FROM messages WHERE conversation_id = 'c1' ORDER BY seq",
    );
    expect(read).toEqual([
      { id: "msg_a", starts_task_id: "task_a", task_id: "task_a", turn: 1 },
      { id: "msg_b", starts_task_id: "task_b", task_id: "task_b", turn: 12 },
      { id: "msg_e", starts_task_id: "task_e", task_id: "task_a", turn: null },
      { id: "msg_s", starts_task_id: "task_s", task_id: "task_b", turn: null },
      { id: "msg_u", starts_task_id: "task_u", task_id: null, turn: null },
    ]);
    expect(
      await rows(db, "SELECT id, message_id FROM tasks WHERE conversation_id = 'c1' ORDER BY id"),
    ).toEqual([
      { id: "task_a", message_id: "msg_a" },
      { id: "task_b", message_id: "msg_b" },
    ]);
    expect(await rows(db, "SELECT id, answers_id FROM replies ORDER BY id")).toEqual([
      { id: "task_a", answers_id: null },
      { id: "task_b", answers_id: "71" },
    ]);
  });
});
