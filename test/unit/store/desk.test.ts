/** What is put aside, forgotten or taken along: always that, and never its neighbours. */
import { beforeAll, beforeEach, expect, it } from "vitest";
import { TIMINGS } from "../../../shared/limits.ts";
import { addFirstKey } from "../../../shared/store/api-keys.ts";
import { applyDecisions } from "../../../shared/store/apply-decisions.ts";
import { readNewInbound } from "../../../shared/store/inbound.ts";
import { purge } from "../../../shared/store/purge.ts";
import { parkAndTell } from "../../../shared/store/park.ts";
import { steerTask } from "../../../shared/store/steer-task.ts";
import { CALLER, newInbound, whereOf } from "../builders.ts";
import { openDatabase, rows, startTask } from "../database.ts";

const NOW = 10_000_000_000;
const SAID = { reason: "broken", text: "Something is broken." };

let db: D1Database;
let n = 0;
beforeAll(async () => {
  db = await openDatabase();
  await addFirstKey(db, { hash: "h", tenantId: "default", label: "test", now: 1 });
});
beforeEach(async () => {
  n++;
  await db.batch(["outbox", "inbound"].map((table) => db.prepare(`DELETE FROM ${table}`)));
});

async function insertInbound(id: string, state: string, receivedAt = 1): Promise<void> {
  await db
    .prepare(
      `INSERT INTO inbound (id, tenant_id, channel, conversation_id, event, raw, state, received_at)
       VALUES (?, 'default', 'telegram', ?, '{"address":{"channel":"telegram","chatId":"1"}}', '', ?, ?)`,
    )
    .bind(id, `conv_d${n}`, state, receivedAt)
    .run();
  await db.prepare("INSERT INTO outbox (queue, key, ring_at) VALUES ('inbound', ?, 0)").bind(id).run();
}

const row = (id: string) => whereOf(newInbound(id, `conv_d${n}`));

it("a task that is parked is ended in the same batch, or not at all", async () => {
  const key = await startTask(db, `d${n}`, NOW);
  const failing = {
    ...db,
    prepare: (sql: string) => db.prepare(sql),
    batch: () => Promise.reject(new Error("down")),
  };
  await expect(
    parkAndTell(failing as unknown as D1Database, { queue: "tasks", key }, SAID, NOW, TIMINGS),
  ).rejects.toThrow("down");
  expect(await rows(db, "SELECT state FROM tasks WHERE id = ?", key)).toEqual([{ state: "queued" }]);
  expect((await parkAndTell(db, { queue: "tasks", key }, SAID, NOW, TIMINGS)).kind).toBe("parked");
  expect((await parkAndTell(db, { queue: "tasks", key }, SAID, NOW, TIMINGS)).kind).toBe("parked_before");
  expect(await rows(db, "SELECT state FROM tasks WHERE id = ?", key)).toEqual([{ state: "failed" }]);
  expect(await rows(db, "SELECT text, final FROM replies WHERE id = ?", key)).toEqual([
    { text: SAID.text, final: 1 },
  ]);
  expect(await rows(db, "SELECT parked_reason FROM outbox WHERE queue = 'tasks' AND key = ?", key)).toEqual([
    { parked_reason: "broken" },
  ]);
});

it("a message that is parked is told once, and is no new one any more", async () => {
  await insertInbound(`inb_p${n}`, "new");
  const doorbell = { queue: "inbound" as const, key: `inb_p${n}` };
  const reply = { queue: "replies", key: `inb_p${n}:parked` };
  expect(await parkAndTell(db, doorbell, SAID, NOW, TIMINGS)).toMatchObject({
    kind: "parked",
    doorbells: [reply],
  });
  expect(await parkAndTell(db, doorbell, SAID, NOW, TIMINGS)).toEqual({
    kind: "parked_before",
    doorbells: [],
  });
  await insertInbound(`inb_q${n}`, "new");
  expect((await readNewInbound(db, [`inb_q${n}`])).map(({ id }) => id)).toEqual([`inb_q${n}`]);
});

it("a message that was handled in the end has no failure notice", async () => {
  await insertInbound(`inb_h${n}`, "handled");
  await db.prepare("DELETE FROM outbox").run();
  const doorbell = { queue: "inbound" as const, key: `inb_h${n}` };
  expect(await parkAndTell(db, doorbell, SAID, NOW, TIMINGS)).toEqual({
    kind: "parked_before",
    doorbells: [],
  });
});

it("the purge forgets what is old and done with, and nothing else", async () => {
  for (const state of ["new", "handled", "ignored", "parked"]) await insertInbound(`inb_${state}`, state);
  await insertInbound("inb_young", "handled", NOW);
  await purge(db, NOW, TIMINGS);
  const left = await rows<{ id: string }>(db, "SELECT id FROM inbound ORDER BY id");
  expect(left.map(({ id }) => id)).toEqual(["inb_new", "inb_parked", "inb_young"]);
});

it("a stop that stops nothing takes no message with it", async () => {
  const key = await startTask(db, `d${n}`, NOW);
  await steerTask(
    db,
    {
      caller: CALLER,
      taskId: key,
      messageId: `msg_s${n}`,
      nextTaskId: `task_s${n}`,
      content: { type: "text", text: "y" },
    },
    NOW,
  );
  await insertInbound(`inb_z${n}`, "new");
  const stop = { taskIdPrefix: "task_zzzz", text: "stopped", unreadText: "", idleText: "no such task" };
  await applyDecisions(db, [{ kind: "stop", ...row(`inb_z${n}`), ...stop }], NOW, TIMINGS);
  expect(
    await rows(db, "SELECT 1 FROM messages WHERE conversation_id = ? AND task_id IS NULL", `conv_d${n}`),
  ).toHaveLength(2);
  expect(await rows(db, "SELECT text FROM replies WHERE id = ?", `inb_z${n}`)).toEqual([
    { text: "no such task" },
  ]);
});

it("a /new that is triaged again forgets nothing that came after it", async () => {
  await startTask(db, `d${n}`, NOW);
  await insertInbound(`inb_n${n}`, "new");
  const forget = { kind: "forget" as const, ...row(`inb_n${n}`), text: "forgotten" };
  await applyDecisions(db, [forget], NOW, TIMINGS);
  const forgottenSeq = () =>
    rows<{ forgotten_seq: number }>(db, "SELECT forgotten_seq FROM conversations WHERE id = ?", `conv_d${n}`);
  const before = await forgottenSeq();
  await db
    .prepare("INSERT INTO messages (id, conversation_id, content, created_at) VALUES (?, ?, '{}', 1)")
    .bind(`msg_after${n}`, `conv_d${n}`)
    .run();
  await applyDecisions(db, [forget], NOW, TIMINGS);
  expect(await forgottenSeq()).toEqual(before);
});
