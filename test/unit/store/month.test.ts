/** Forty days of virtual time: what is old goes, tables and bucket stop growing, and what was delivered before is known for a week. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { keepFile } from "../../../shared/files.ts";
import { TIMINGS } from "../../../shared/limits.ts";
import { addFirstKey } from "../../../shared/store/api-keys.ts";
import { applyDecisions } from "../../../shared/store/apply-decisions.ts";
import { claimTurn } from "../../../shared/store/claim-turn.ts";
import type { Decision } from "../../../shared/store/decision.ts";
import { readNewInbound, type NewInbound } from "../../../shared/store/inbound.ts";
import { leaseReply } from "../../../shared/store/lease-reply.ts";
import { observeCall } from "../../../shared/store/observe-call.ts";
import { recordAttachments } from "../../../shared/store/attachments.ts";
import { purge } from "../../../shared/store/purge.ts";
import { receiveInbound } from "../../../shared/store/receive.ts";
import { settleReply } from "../../../shared/store/settle-reply.ts";
import { storeTurn } from "../../../shared/store/store-turn.ts";
import { sweepFiles } from "../../../shared/sweep-files.ts";
import { acceptedMessage, observed, plannedTurn, whereOf } from "../builders.ts";
import { openDatabase, rows, startTask } from "../database.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 40;
/** In life it is every day; the real R2 takes its time. */
const SWEPT_EVERY_DAYS = 10;
const { FILES: bucket } = env as unknown as { FILES: R2Bucket };
const START = Date.now();

let db: D1Database;
beforeAll(async () => {
  db = await openDatabase();
  await addFirstKey(db, { hash: "h", tenantId: "default", label: "test", now: 1 });
});

async function receive(name: string, conversation: string, now: number): Promise<NewInbound> {
  await receiveInbound(db, [acceptedMessage(`inb_${name}`, `conv_${conversation}`)], now, TIMINGS);
  const inbound = (await readNewInbound(db, [`inb_${name}`])).find(({ id }) => id === `inb_${name}`);
  if (inbound === undefined) throw new Error(`inb_${name} is not new`);
  return inbound;
}

/** One message that becomes a task, which makes a file, is answered, and whose answer is delivered. */
async function answerTask(taskId: string, name: string, now: number): Promise<void> {
  const claim = { taskId, turn: 1, claim: "c" };
  await claimTurn(db, { ...claim, until: now }, now);
  await storeTurn(db, plannedTurn(claim, "", 1), now, TIMINGS);
  const file = await keepFile(bucket, {
    name: "a.txt",
    mime: "text/plain",
    content: new TextEncoder().encode(name).slice(),
  });
  await observeCall(db, { taskId, turn: 1, call: 1 }, observed("made", { files: [file] }), {
    latencyMs: 1,
    now,
    isBesideWaiting: false,
  });
  await claimTurn(db, { ...claim, turn: 2, until: now }, now);
  await storeTurn(db, plannedTurn({ ...claim, turn: 2 }, "done"), now, TIMINGS);
}

async function deliver(replyId: string, now: number): Promise<void> {
  const lease = { replyId, token: "t" };
  const leased = await leaseReply(db, lease, now, TIMINGS);
  if (leased.kind === "found")
    await settleReply(
      db,
      lease,
      leased.reply.version,
      { state: "delivered", reason: null, externalIds: ["1"] },
      now,
    );
}

/** What comes in on a day: a task in a chat, a command, a stranger, an unreadable request, and a program's task. */
async function live(day: number, now: number): Promise<void> {
  const said = await receive(`said${day}`, "chat", now);
  const ids = { messageId: `msg_said${day}`, taskId: `task_said${day}`, sender: "telegram:1" };
  const message: Decision = {
    kind: "message",
    ...whereOf(said),
    ...ids,
    content: { type: "text", text: "hi" },
  };
  await applyDecisions(db, [message], now, TIMINGS);
  const upload = await keepFile(bucket, {
    name: "up",
    mime: "text/plain",
    content: new TextEncoder().encode(`up${day}`).slice(),
  });
  const { sha256 } = upload;
  const kept = { message_id: ids.messageId, position: 0, sha256, mime: "", bytes: 1, failure: null };
  await recordAttachments(db, "conv_chat", [{ ...kept, path: `inbox/up${day}` }], now);
  await answerTask(ids.taskId, `said${day}`, now);
  await deliver(ids.taskId, now);
  const help = await receive(`help${day}`, `asking${day}`, now);
  await applyDecisions(db, [{ kind: "reply", ...whereOf(help), text: "help" }], now, TIMINGS);
  await deliver(help.id, now);
  const stranger = await receive(`who${day}`, `who${day}`, now);
  const code = { personId: `p${day}`, code: `C${day}`, text: "code" };
  await applyDecisions(db, [{ kind: "issue_code", ...whereOf(stranger), ...code }], now, TIMINGS);
  await deliver(stranger.id, now);
  const broken = {
    ...acceptedMessage(`inb_broken${day}`, "conv_chat"),
    event: null,
    conversationId: null,
    parkedReason: "x",
  };
  await receiveInbound(db, [broken], now, TIMINGS);
  await answerTask(await startTask(db, `api${day}`, now), `api${day}`, now);
}

const TABLES =
  "inbound conversations messages tasks turns calls replies deliveries outbox events artifacts attachments people streams".split(
    " ",
  );
async function count(): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const table of TABLES)
    sizes[table] = (await rows<{ n: number }>(db, `SELECT COUNT(*) AS n FROM ${table}`))[0]?.n ?? 0;
  return { ...sizes, files: (await bucket.list({ prefix: "files/" })).objects.length };
}

it("keeps what it says it keeps, and no more", async () => {
  const counts: Record<string, number>[] = [];
  for (let day = 1; day <= DAYS; day++) {
    const now = START + day * DAY_MS;
    await live(day, now);
    await purge(db, now, TIMINGS);
    if (day % SWEPT_EVERY_DAYS > 0) continue;
    const midnight = Math.ceil(now / DAY_MS) * DAY_MS;
    for (let hour = 0; hour < 24; hour++)
      await sweepFiles({ db, bucket }, midnight + hour * HOUR_MS, TIMINGS);
    counts.push(await count());
  }
  expect(counts.at(-1)).toEqual(counts.at(-2));
  // Kept: four weeks of tasks, seven days of strangers; and each time the day itself.
  const most = { tasks: 2 * 29, artifacts: 2 * 29, files: 3 * 29, attachments: 29, people: 8 };
  expect(counts.at(-1)).toMatchObject(most);
  const [oldest] = await rows<{ at: number }>(
    db,
    "SELECT MIN(received_at) AS at FROM inbound WHERE id LIKE 'inb_said%'",
  );
  expect(START + DAYS * DAY_MS - (oldest?.at ?? 0)).toBeLessThanOrEqual(TIMINGS.inbound_kept_ms);
}, 240_000);

it("knows a delivery again after a week", async () => {
  const now = START + (DAYS + 1) * DAY_MS;
  const again = await receive("again", "again", now);
  const redelivered = acceptedMessage("inb_again", "conv_again");
  await applyDecisions(db, [{ kind: "reply", ...whereOf(again), text: "x" }], now, TIMINGS);
  const later = now + 7 * DAY_MS;
  await purge(db, later, TIMINGS);
  expect(await receiveInbound(db, [redelivered], later, TIMINGS)).toEqual([]);
  expect(await readNewInbound(db, ["inb_again"])).toEqual([]);
});

it("deletes as much as there is, whatever stands before it", async () => {
  const now = START + 200 * DAY_MS;
  const old = now - 9 * DAY_MS;
  const values = (from: number, state: string) =>
    `INSERT INTO inbound (id, tenant_id, channel, state, received_at) SELECT '${state}' || value, 'default', 'telegram', '${state}', ${old}
     FROM (WITH RECURSIVE n(value) AS (SELECT ${from} UNION ALL SELECT value + 1 FROM n WHERE value < ${from + 1_200}) SELECT value FROM n)`;
  await db.batch([values(0, "parked"), values(5_000, "handled")].map((sql) => db.prepare(sql)));
  let found = 0;
  for (let round = 0; round < 5; round++) found += await purge(db, now, TIMINGS);
  expect(found).toBeGreaterThan(1_200);
  expect(await rows(db, "SELECT 1 FROM inbound WHERE state = 'handled' AND received_at = ?", old)).toEqual(
    [],
  );
  expect(
    await rows(db, "SELECT 1 FROM inbound WHERE state = 'parked' AND received_at = ?", old),
  ).toHaveLength(1_201);
});
