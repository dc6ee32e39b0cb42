/** A reply's lease: one at a time looks after what is shown, and whoever has lost it writes nothing more. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TIMINGS } from "../../../shared/limits.ts";
import { endTask } from "../../../shared/store/end-task.ts";
import { leaseReply } from "../../../shared/store/lease-reply.ts";
import { announceMessage, announcePing, recordMessage } from "../../../shared/store/record-message.ts";
import { postponeReply, settleReply } from "../../../shared/store/settle-reply.ts";
import { openDatabase, rows, startTask } from "../database.ts";

const NOW = 1_000_000;
const LATER = NOW + TIMINGS.lease_ms + 1;

let db: D1Database;
let task = 0;
let id = "";
beforeAll(async () => {
  db = await openDatabase();
});

const doorbells = () => rows<{ queue: string; version: number }>(db, "SELECT queue, version FROM outbox");
const one = async <Row>(sql: string): Promise<Row | undefined> => (await rows<Row>(db, sql, id))[0];

describe("a reply", () => {
  const a = () => ({ replyId: id, token: "a" });
  const b = () => ({ replyId: id, token: "b" });
  const holder = async () =>
    (await one<{ lease_token: string }>("SELECT lease_token FROM replies WHERE id = ?"))?.lease_token;
  beforeEach(async () => {
    await db.prepare("DELETE FROM outbox").run();
    id = await startTask(db, `r${++task}`, NOW);
    await endTask(
      db,
      { taskId: id, state: "succeeded", endedBy: "x", error: null, answer: { text: "x" } },
      NOW,
      TIMINGS,
    );
    await db.prepare("INSERT INTO outbox (queue, key, ring_at) VALUES ('replies', ?, 0)").bind(id).run();
  });
  const delivered = { state: "delivered" as const, reason: null, externalIds: ["1"] };

  it("has one lease at a time", async () => {
    await leaseReply(db, a(), NOW, TIMINGS);
    await leaseReply(db, b(), NOW, TIMINGS);
    expect(await holder()).toBe("a");
    await leaseReply(db, b(), LATER, TIMINGS);
    expect(await holder()).toBe("b");
  });

  it("is written by nobody whose lease is over", async () => {
    await leaseReply(db, a(), NOW, TIMINGS);
    await leaseReply(db, b(), LATER, TIMINGS);
    expect(await announceMessage(db, a(), 1)).toEqual({ kind: "refused" });
    expect(await announcePing(db, a())).toEqual({ kind: "refused" });
    expect(await recordMessage(db, a(), { part: 0, externalId: "1" }, LATER, TIMINGS)).toEqual({
      kind: "refused",
    });
    await settleReply(db, a(), 1, delivered, LATER);
    expect(await one("SELECT state FROM replies WHERE id = ?")).toEqual({ state: "open" });
    expect(await doorbells()).toEqual([{ queue: "replies", version: 1 }]);
    expect(await holder()).toBe("b");
  });

  it("counts a doubt when a creation was announced and never recorded", async () => {
    await leaseReply(db, a(), NOW, TIMINGS);
    const taken = await leaseReply(db, b(), LATER, TIMINGS);
    expect(taken).toMatchObject({ reply: { deliveries: [{ part: 0, state: "doubtful", doubts: 1 }] } });
    expect(await announceMessage(db, b(), 0)).toEqual({ kind: "recorded" });
    // Announced and not recorded: whoever announces again must have counted the doubt before.
    expect(await announceMessage(db, b(), 0)).toEqual({ kind: "refused" });
  });

  it("that the platform has limited is taken by nobody before its time, whoever rings", async () => {
    await leaseReply(db, a(), NOW, TIMINGS);
    const until = NOW + 5_000;
    await postponeReply(db, a(), {
      version: 1,
      revision: null,
      ringAt: until,
      notBefore: until,
      failed: false,
    });
    await leaseReply(db, b(), NOW + 4_999, TIMINGS);
    expect(await holder()).toBeNull();
    await leaseReply(db, b(), NOW + 5_000, TIMINGS);
    expect(await holder()).toBe("b");
  });

  it("keeps its lease for as long as its parts take", async () => {
    await leaseReply(db, a(), NOW, TIMINGS);
    await recordMessage(db, a(), { part: 0, externalId: "1" }, NOW + 40_000, TIMINGS);
    await leaseReply(db, b(), LATER, TIMINGS);
    expect(await holder()).toBe("a");
  });

  it("pings once", async () => {
    await leaseReply(db, a(), NOW, TIMINGS);
    expect(await announcePing(db, a())).toEqual({ kind: "recorded" });
    expect(await announcePing(db, a())).toEqual({ kind: "refused" });
  });

  it("that was rung again while it was shown is looked at again", async () => {
    await leaseReply(db, a(), NOW, TIMINGS);
    await db.prepare("UPDATE outbox SET version = 2").run();
    await settleReply(db, a(), 1, delivered, NOW);
    expect(await doorbells()).toEqual([{ queue: "replies", version: 2 }]);
  });
});
