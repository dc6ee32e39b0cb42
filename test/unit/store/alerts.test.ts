/** What is told and when: after it has been wrong for a while, once, and not again before it has been calm. */
import { beforeEach, expect, it } from "vitest";
import { TIMINGS } from "../../../shared/limits.ts";
import { isWatchLate, settleNotice, watch as watchOnce } from "../../../shared/store/alerts.ts";
import { purge } from "../../../shared/store/purge.ts";
import { noteSign } from "../../../shared/store/signs.ts";
import { openDatabase, rows, startTask } from "../database.ts";

const START = 10_000_000_000;
const MINUTE = 60_000;
const ON_TIME = { version: "v", isLate: false };
const WRONG = [{ channel: "telegram", state: "wrong" as const, isTaken: true, detail: "it sends elsewhere" }];

let db: D1Database;
beforeEach(async () => {
  db = await openDatabase();
  await db.batch(
    ["alerts", "notices", "signs", "tasks", "turns"].map((table) => db.prepare(`DELETE FROM ${table}`)),
  );
});

/** Both clocks ring; what is told to the one sink. */
async function watch(minute: number, webhooks: typeof WRONG = [], sinks = ["one"]) {
  const now = START + minute * MINUTE;
  await noteSign(db, { name: "clock", version: "v", now });
  const { due } = await watchOnce(db, { ...ON_TIME, webhooks, sinks }, now, TIMINGS);
  for (const notice of due) await settleNotice(db, notice, "told");
  return due.map(({ kind, state, revision }) => [kind, state, revision]);
}

it("what passes within a minute is not told", async () => {
  expect(await watch(0, WRONG)).toEqual([]);
  expect(await watch(1)).toEqual([]);
  expect(await watch(2, WRONG)).toEqual([]);
  expect(await watch(3)).toEqual([]);
});

it("what lasts is told once, and so is its end", async () => {
  expect(await watch(0, WRONG)).toEqual([]);
  expect(await watch(1, WRONG)).toEqual([["webhook", "firing", 1]]);
  expect(await watch(2, WRONG)).toEqual([]);
  expect(await watch(3)).toEqual([["webhook", "resolved", 2]]);
  expect(await watch(4)).toEqual([]);
});

it("what comes and goes is told when it has been calm for a quarter of an hour, or lasts so long", async () => {
  await watch(0, WRONG);
  expect(await watch(1, WRONG)).toEqual([["webhook", "firing", 1]]);
  expect(await watch(2)).toEqual([["webhook", "resolved", 2]]);
  for (let minute = 3; minute < 17; minute++)
    expect(await watch(minute, minute % 3 === 0 ? [] : WRONG)).toEqual([]);
  expect(await watch(17, WRONG)).toEqual([["webhook", "firing", 3]]);
});

it("two watches at the same time tell it once", async () => {
  await watch(0, WRONG);
  const told = await Promise.all([watch(1, WRONG), watch(1, WRONG)]);
  expect(told.flat()).toEqual([["webhook", "firing", 1]]);
});

it("each sink is told, and one that comes later is told of what begins from then on", async () => {
  await watch(0, WRONG);
  expect(await watch(1, WRONG, ["one", "two"])).toHaveLength(2);
  expect(await watch(2, WRONG, ["one", "two", "three"])).toHaveLength(0);
  expect(await watch(3, [], ["one", "two", "three"])).toHaveLength(2);
});

it("of an end is told who was told of the beginning, and after it", async () => {
  const at = async (minute: number, webhooks: typeof WRONG) => {
    const now = START + minute * MINUTE;
    await noteSign(db, { name: "clock", version: "v", now });
    return (await watchOnce(db, { ...ON_TIME, webhooks, sinks: ["one"] }, now, TIMINGS)).due;
  };
  await at(0, WRONG);
  const [firing] = await at(1, WRONG);
  // It is down: nobody settles it, and what comes after waits for it.
  expect((await at(2, [])).map(({ state }) => state)).toEqual(["firing"]);
  if (firing === undefined) throw new Error("nothing was told");
  await settleNotice(db, firing, "told");
  expect((await at(3, [])).map(({ state }) => state)).toEqual(["resolved"]);
  await settleNotice(db, { ...firing, revision: 2 }, "told");
  await at(20, WRONG);
  const [again] = await at(21, WRONG);
  if (again === undefined) throw new Error("nothing was told");
  // It ends before anybody gives up; what begins then does not wait for what nobody is told any more.
  expect((await at(22, [])).map(({ revision }) => revision)).toEqual([again.revision]);
  await settleNotice(db, again, "given up: nobody is there");
  expect(await at(40, [])).toEqual([]);
  await at(41, WRONG);
  expect((await at(42, WRONG)).map(({ state }) => state)).toEqual(["firing"]);
});

it("what was wrong before a long time without a watch is not wrong all that time", async () => {
  await watch(0, WRONG);
  expect(await watch(30, WRONG)).toEqual([]);
  expect(await watch(31, WRONG)).toEqual([["webhook", "firing", 1]]);
});

it("what was not told is taken again, later each time", async () => {
  await watch(0, WRONG);
  const at = async (ms: number) => {
    const told = { ...ON_TIME, webhooks: WRONG, sinks: ["one"] };
    return (await watchOnce(db, told, START + MINUTE + ms, TIMINGS)).due;
  };
  expect(await at(0)).toMatchObject([{ attempts: 1 }]);
  expect(await at(9_999)).toEqual([]);
  expect(await at(10_000)).toMatchObject([{ attempts: 2 }]);
  expect(await at(29_999)).toEqual([]);
  expect(await at(30_000)).toMatchObject([{ attempts: 3 }]);
});

it("a model's fault is over when the model has answered, and not when nobody has asked for a while", async () => {
  const end = async (name: string, at: number, state: "failed" | "succeeded") => {
    const id = await startTask(db, name, at);
    // Its doorbell is rung in vain by nobody here.
    await db.prepare("DELETE FROM outbox").run();
    const error =
      state === "failed" ? '{"code":"model_failed","message":"check the key","misconfigured":true}' : null;
    await db
      .prepare("UPDATE tasks SET state = ?, ended_at = ?, error = ? WHERE id = ?")
      .bind(state, at, error, id)
      .run();
    await db
      .prepare(
        "INSERT INTO turns (task_id, turn, claim, claimed_until, text, model) VALUES (?, 1, 'c', 0, 'x', 'm')",
      )
      .bind(id)
      .run();
  };
  await end("refused", START, "failed");
  await watch(0);
  expect(await watch(1)).toEqual([["misconfigured", "firing", 1]]);
  for (let minute = 2; minute <= 41; minute++) expect(await watch(minute)).toEqual([]);
  await end("answered", START + 41 * MINUTE, "succeeded");
  expect(await watch(42)).toEqual([["misconfigured", "resolved", 2]]);
});

it("a clock is late after two rounds, and one that never rang when others have been there for so long", async () => {
  const late = async (now: number) => {
    await watchOnce(db, { ...ON_TIME, webhooks: [], sinks: [] }, now, TIMINGS);
    const found =
      "SELECT subject FROM alerts WHERE kind = 'clock' AND wrong_since IS NOT NULL ORDER BY subject";
    return (await rows<{ subject: string }>(db, found)).map(({ subject }) => subject);
  };
  expect(await late(START)).toEqual([]);
  await noteSign(db, { name: "clock", version: "v", now: START });
  expect(await late(START + TIMINGS.clock_late_ms)).toEqual([]);
  expect(await late(START + TIMINGS.clock_late_ms + 1)).toEqual(["sweep"]);
  expect(await late(START + 3 * TIMINGS.clock_late_ms)).toEqual(["sweep", "watch"]);
  await db.prepare("DELETE FROM signs WHERE name = 'clock'").run();
  expect(await late(START + 3 * TIMINGS.clock_late_ms + 1)).toEqual([]);
  expect(await late(START + 9 * TIMINGS.clock_late_ms)).toEqual(["sweep", "watch"]);
});

it("whoever is called knows whether the watch is late, and not where there never was one", async () => {
  expect(await isWatchLate(db, START, TIMINGS)).toBe(false);
  await watch(0);
  expect(await isWatchLate(db, START + TIMINGS.clock_late_ms, TIMINGS)).toBe(false);
  expect(await isWatchLate(db, START + TIMINGS.clock_late_ms + 1, TIMINGS)).toBe(true);
});

it("what was told long ago goes", async () => {
  await watch(0, WRONG);
  await watch(1, WRONG);
  const long = START + MINUTE + TIMINGS.inbound_kept_ms + 1;
  const countNow = async () => (await rows(db, "SELECT 1 FROM notices")).length;
  // The end of what is wrong is told to whoever was told of it, however long it takes.
  await purge(db, long, TIMINGS);
  expect(await countNow()).toBe(1);
  await db.prepare("UPDATE alerts SET told = 'resolved'").run();
  const count = async () => (await rows(db, "SELECT 1 FROM notices")).length;
  await purge(db, START + MINUTE + TIMINGS.inbound_kept_ms, TIMINGS);
  expect(await count()).toBe(1);
  await purge(db, START + MINUTE + TIMINGS.inbound_kept_ms + 1, TIMINGS);
  expect(await count()).toBe(0);
});
