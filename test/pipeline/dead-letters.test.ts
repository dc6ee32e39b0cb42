/** What cannot be handled is put aside with its reason and its bytes, keeps nobody waiting, and comes back by replay. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";
import { until } from "../support/until.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline();
});
afterAll(() => pipeline.close());
beforeEach(async () => {
  pipeline.telegram.reset();
  await pipeline.sql("DELETE FROM outbox");
});

interface Letter {
  queue: string;
  key: string;
  reason: string;
  raw?: string;
}
const list = async () =>
  (await pipeline.api<{ dead_letters: Letter[] }>("GET", "/dead-letters")).body.dead_letters;
const parked = () =>
  until(
    async () => {
      const letters = await list();
      return letters.length > 0 && letters;
    },
    20_000,
    "something to be parked",
  );

describe("a webhook that nobody can read", () => {
  it("is answered 2xx, parked once with its bytes, and replayed or discarded by hand", async () => {
    const broken = '{"update_id": 1, "message": {"text": "no chat"}}';
    for (let i = 0; i < 3; i++) expect((await pipeline.hook(broken)).status).toBe(200);
    const [letter, ...more] = await list();
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ queue: "inbound", reason: expect.stringContaining("message.chat") });
    const path = `/dead-letters/${letter?.queue}/${letter?.key}`;
    expect((await pipeline.api<Letter>("GET", path)).body.raw).toBe(broken);
    expect((await pipeline.api("POST", `${path}/replay`)).status).toBe(409);
    // As if a later version could read it.
    await pipeline.sql(
      "UPDATE inbound SET raw = ? WHERE id = ?",
      JSON.stringify(privateText(71, "/run 'mended'")),
      letter?.key,
    );
    expect((await pipeline.api("POST", `${path}/replay`)).status).toBe(202);
    await pipeline.quiet();
    expect(pipeline.telegram.in(71).map(({ text }) => text)).toEqual(["mended"]);
    expect(await list()).toEqual([]);
  });

  it("is kept to the byte when it is not even UTF-8", async () => {
    const bytes = new Uint8Array(200_000).fill(0xff);
    const answer = await fetch(`${pipeline.url}/hooks/telegram`, {
      method: "POST",
      headers: { "x-telegram-bot-api-secret-token": "a-webhook-secret" },
      body: bytes,
    });
    expect(answer.status).toBe(200);
    const [letter] = await list();
    const whole = await pipeline.api<{ raw_base64: string }>("GET", `/dead-letters/inbound/${letter?.key}`);
    expect(whole.body.raw_base64).toBe(Buffer.from(bytes).toString("base64"));
    expect((await pipeline.api("DELETE", `/dead-letters/inbound/${letter?.key}`)).status).toBe(200);
    expect(await list()).toEqual([]);
  });
});

describe("poison", () => {
  it("in a batch is parked alone; its neighbours are answered", async () => {
    const chats = Array.from({ length: 20 }, (_, index) => 7_100 + index);
    // One event of the batch is not of the contract: written as an older version might have.
    await pipeline.sql(
      "INSERT INTO inbound (id, tenant_id, channel, conversation_id, event, raw, state, received_at) VALUES ('inb_poison', 'default', 'telegram', 'conv_poison', '{\"v\":0}', 'x', 'new', 1)",
    );
    await pipeline.sql("INSERT INTO outbox (queue, key, ring_at) VALUES ('inbound', 'inb_poison', 0)");
    await Promise.all([
      pipeline.ring(),
      ...chats.map((chat) => pipeline.hook(privateText(chat, "/run 'fine'"))),
    ]);
    await pipeline.quiet();
    for (const chat of chats) expect(pipeline.telegram.in(chat).map(({ text }) => text)).toEqual(["fine"]);
    expect(await list()).toMatchObject([{ key: "inb_poison", reason: expect.stringContaining("contract") }]);
  });

  it("that no queue can be rid of is parked in the end, and the person is told once", async () => {
    await pipeline.hook(privateText(72, "/help"));
    await pipeline.quiet();
    const [row] = await pipeline.sql<{ id: string }>("SELECT id FROM inbound ORDER BY seq DESC LIMIT 1");
    pipeline.telegram.reset();
    await pipeline.sql("UPDATE inbound SET state = 'new' WHERE id = ?", row?.id);
    await pipeline.sql(
      "INSERT INTO outbox (queue, key, ring_at, rings) VALUES ('inbound', ?, 0, 50)",
      row?.id,
    );
    await pipeline.ring();
    expect(await parked()).toMatchObject([{ queue: "inbound", key: row?.id }]);
    await pipeline.quiet();
    expect(pipeline.telegram.in(72).map(({ text }) => text)).toEqual([
      expect.stringContaining(row?.id ?? ""),
    ]);
  });
});

describe("a task that nobody can bring to its end", () => {
  it("is parked, ended in words, and stays on the desk until it is discarded", async () => {
    await pipeline.hook(privateText(74, "/run await new Promise((r) => setTimeout(r, 1_000))"));
    const [task] = await until(
      async () => {
        const rows = await pipeline.sql<{ id: string }>("SELECT id FROM tasks WHERE state = 'running'");
        return rows.length > 0 && rows;
      },
      10_000,
      "the task to run",
    );
    await pipeline.sql(
      "UPDATE outbox SET rings = 50, ring_at = 0 WHERE queue = 'tasks' AND key = ?",
      task?.id,
    );
    await pipeline.ring();
    expect(await parked()).toMatchObject([{ queue: "tasks", key: task?.id }]);
    await pipeline.quiet();
    expect(pipeline.telegram.in(74).map(({ text }) => text)).toEqual([
      expect.stringContaining(task?.id ?? ""),
    ]);
    expect((await pipeline.api("DELETE", `/dead-letters/tasks/${task?.id}`)).status).toBe(200);
    expect(await list()).toEqual([]);
  });
});

describe("a missing token", () => {
  it("parks the answer with the name of the variable, to be replayed when it is there", async () => {
    pipeline.telegram.faultOf = () => ({ status: 401, description: "Unauthorized" });
    await pipeline.hook(privateText(73, "/run 'kept'"));
    const [letter] = await parked();
    expect(letter).toMatchObject({ queue: "replies", reason: expect.stringContaining("TELEGRAM_BOT_TOKEN") });
    pipeline.telegram.reset();
    await pipeline.api("POST", `/dead-letters/replies/${letter?.key}/replay`);
    await pipeline.quiet();
    expect(pipeline.telegram.in(73).map(({ text }) => text)).toEqual(["kept"]);
  });

  it("that goes while an answer is shown leaves the message that is there to be finished", async () => {
    pipeline.telegram.faultOf = ({ method }) =>
      method === "editMessageText" ? { status: 401, description: "Unauthorized" } : undefined;
    await pipeline.hook(privateText(75, "/run 'whole'"));
    const [letter] = await parked();
    pipeline.telegram.faultOf = () => undefined;
    await pipeline.api("POST", `/dead-letters/replies/${letter?.key}/replay`);
    await pipeline.quiet();
    expect(pipeline.telegram.in(75).map(({ text }) => text)).toEqual(["whole"]);
  });
});
