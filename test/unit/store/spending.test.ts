/** What is counted as spent: of a call under way what it may cost, and in the end what it did, whoever comes late, or never. */
import { beforeAll, expect, it } from "vitest";
import { claimTurn } from "../../../shared/store/claim-turn.ts";
import { narrate } from "../../../shared/store/narrate.ts";
import { loseReservations, reserve, settle } from "../../../shared/store/reserve.ts";
import type { HeldCap } from "../../../shared/policy/caps.ts";
import { openDatabase, rows, startTask } from "../database.ts";

/** In the morning of a day. */
const NOW = Date.UTC(2026, 10, 30, 8);
const PLENTY: HeldCap = { tokens: 1_000_000, usd: 1_000 };

let db: D1Database;
beforeAll(async () => {
  db = await openDatabase();
});

async function claim(name: string) {
  const key = { taskId: await startTask(db, name, NOW), turn: 1, claim: `claim-of-${name}` };
  await claimTurn(db, { ...key, until: NOW + 60_000 }, NOW);
  return key;
}

type Key = Awaited<ReturnType<typeof claim>>;

function ask(key: Key, caps: Partial<Record<"task" | "sender" | "tenant", HeldCap>> = {}, now = NOW) {
  const amounts = { tokensIn: 100, tokensOutMin: 50, tokensOutMax: 1_000, price: { input: 2, output: 10 } };
  const held = { task: PLENTY, sender: PLENTY, tenant: PLENTY, ...caps };
  return reserve(
    db,
    { ...key, ...amounts, caps: held, approvalId: `appr_${key.claim}`, until: now + 1_000 },
    now,
  );
}

const counted = async ({ taskId }: Key) => {
  const [task] = await rows(
    db,
    "SELECT spent_tokens AS tokens, spent_micro_usd AS usd FROM tasks WHERE id = ?",
    taskId,
  );
  return task;
};
const today = async () => {
  const [day] = await rows<{ tokens: number; usd: number }>(
    db,
    "SELECT tokens, micro_usd AS usd FROM spending WHERE sender = '' AND day = ?",
    Math.floor(NOW / 86_400_000),
  );
  return day ?? { tokens: 0, usd: 0 };
};

it("counts what a call may cost, and then what it did; settled twice, it counts once", async () => {
  const before = await today();
  const key = await claim("whole");
  expect(await ask(key)).toMatchObject({ kind: "reserved", tokensOut: 1_000 });
  expect(await counted(key)).toEqual({ tokens: 1_100, usd: 10_200 });
  await settle(db, key.claim, { tokens: 150, microUsd: 700 });
  await settle(db, key.claim, { tokens: 150, microUsd: 700 });
  expect(await counted(key)).toEqual({ tokens: 150, usd: 700 });
  expect(await today()).toEqual({ tokens: before.tokens + 150, usd: before.usd + 700 });
});

it("lowers the answer to the room there is, in tokens and in money", async () => {
  const key = await claim("lowered");
  expect(await ask(key, { task: { tokens: 180, usd: 1 } })).toMatchObject({
    kind: "reserved",
    tokensOut: 80,
  });
  const other = await claim("dear");
  expect(await ask(other, { task: { tokens: 10_000, usd: 0.000_9 } })).toMatchObject({
    kind: "reserved",
    tokensOut: 70,
  });
});

it("has no room beyond a cap, and tells what is held only", async () => {
  // What the others hold would be waited for.
  await db.batch(["reservations", "spending"].map((table) => db.prepare(`DELETE FROM ${table}`)));
  const { tokens } = await today();
  const cap = { tokens: tokens + 1_100 + 149, usd: 1_000 };
  const [first, second] = [await claim("first"), await claim("second")];
  expect((await ask(first, { tenant: cap })).kind).toBe("reserved");
  const full = await ask(second, { tenant: cap });
  expect(full).toMatchObject({ kind: "full" });
  expect(full.kind === "full" && full.rooms.find(({ scope }) => scope === "tenant")).toMatchObject({
    tokens: tokens + 1_100,
    tokens_max: cap.tokens,
    tokens_held: expect.any(Number),
  });
  expect(await counted(second)).toEqual({ tokens: 0, usd: 0 });
  await settle(db, first.claim, { tokens: 200, microUsd: 1 });
  expect((await ask(second, { tenant: cap })).kind).toBe("reserved");
  // Tomorrow is another day.
  const third = await claim("third");
  expect((await ask(third, { tenant: { tokens: 1_100, usd: 1 } }, NOW + 86_400_000)).kind).toBe("reserved");
});

it("is not reserved by who has lost the claim", async () => {
  const key = await claim("stolen");
  expect((await ask({ ...key, claim: "another" })).kind).toBe("full");
  expect(await counted(key)).toEqual({ tokens: 0, usd: 0 });
});

it("counts of a call that nobody hears of any more what it read and was heard to say, and of one that comes back all", async () => {
  const key = await claim("lost");
  await ask(key);
  const narration = {
    ...key,
    delta: "twenty characters...",
    shown: "",
    read: 123,
    written: 6,
    until: NOW + 1,
  };
  await narrate(db, narration, NOW);
  await loseReservations(db, { now: NOW });
  expect(await counted(key)).toEqual({ tokens: 1_100, usd: 10_200 });
  await loseReservations(db, { taskId: key.taskId });
  await loseReservations(db, { now: NOW + 1_000_000 });
  expect(await counted(key)).toEqual({ tokens: 129, usd: 306 });
  await settle(db, key.claim, { tokens: 500, microUsd: 900 });
  expect(await counted(key)).toEqual({ tokens: 500, usd: 900 });
});

it("has the room that somebody has allowed the task, and no more", async () => {
  const key = await claim("allowed");
  const nothing = { tokens: 0, usd: 0 };
  expect((await ask(key, { sender: nothing })).kind).toBe("full");
  await db
    .prepare(
      `INSERT INTO approvals (id, tenant_id, conversation_id, task_id, turn, call, kind, state, text, requested_at, expires_at, allows)
        VALUES ('appr_allowed', 'default', 'c', ?, 1, 0, 'approval', 'open', '', 1, 1, '{"tokens":600,"micro_usd":5000}')`,
    )
    .bind(key.taskId)
    .run();
  expect((await ask(key, { sender: nothing })).kind).toBe("full");
  await db.prepare("UPDATE approvals SET state = 'approved' WHERE id = 'appr_allowed'").run();
  expect(await ask(key, { sender: nothing })).toMatchObject({ kind: "reserved", tokensOut: 480 });
  await settle(db, key.claim, { tokens: 580, microUsd: 5_000 });
  expect((await ask({ ...key, claim: "claim-of-allowed" }, { sender: nothing })).kind).toBe("full");
});

it("has no room for a turn that a person has said no to, whatever there is by now", async () => {
  const key = await claim("refused");
  await db
    .prepare(
      `INSERT INTO approvals (id, tenant_id, conversation_id, task_id, turn, call, kind, state, text, requested_at, expires_at, allows)
        VALUES (?, 'default', 'c', ?, 1, 0, 'approval', 'denied', '', 1, 1, '{"tokens":600,"micro_usd":5000}')`,
    )
    .bind(`appr_${key.claim}`, key.taskId)
    .run();
  expect((await ask(key)).kind).toBe("denied");
  expect(await counted(key)).toEqual({ tokens: 0, usd: 0 });
});

it("reads for money, too, where writing costs nothing", async () => {
  const key = await claim("free");
  const amounts = { tokensIn: 100, tokensOutMin: 50, tokensOutMax: 1_000, price: { input: 2, output: 0 } };
  const caps = { task: { tokens: 10_000, usd: 0.000_1 }, sender: PLENTY, tenant: PLENTY };
  const asked = await reserve(db, { ...key, ...amounts, caps, approvalId: "appr_free", until: NOW }, NOW);
  expect(asked.kind).toBe("full");
});
