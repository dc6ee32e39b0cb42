/** Writes name the state that they expect: whoever comes late, or a second time, changes nothing. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TIMINGS } from "../../../shared/limits.ts";
import { applyDecisions } from "../../../shared/store/apply-decisions.ts";
import { claimTasks, dropTaskDoorbell } from "../../../shared/store/claim-tasks.ts";
import { claimTurn } from "../../../shared/store/claim-turn.ts";
import { endTask } from "../../../shared/store/end-task.ts";
import { readNewInbound } from "../../../shared/store/inbound.ts";
import { narrate } from "../../../shared/store/narrate.ts";
import { observeCall } from "../../../shared/store/observe-call.ts";
import { takeDue } from "../../../shared/store/outbox.ts";
import { parkAndTell } from "../../../shared/store/park.ts";
import { receiveInbound } from "../../../shared/store/receive.ts";
import { releaseTurn } from "../../../shared/store/release-turn.ts";
import { startCall } from "../../../shared/store/start-call.ts";
import { storeTurn } from "../../../shared/store/store-turn.ts";
import { acceptedMessage, newInbound, observed, plannedTurn } from "../builders.ts";
import { openDatabase, rows, startTask } from "../database.ts";

const NOW = 1_000_000;
const DONE = { latencyMs: 1, now: NOW, isBesideWaiting: false };
const LATER = NOW + TIMINGS.lease_ms + 1;

let db: D1Database;
let task = 0;
let id = "";
beforeAll(async () => {
  db = await openDatabase();
});
beforeEach(async () => {
  await db.prepare("DELETE FROM outbox").run();
  id = await startTask(db, `g${++task}`, NOW);
});

const doorbells = () => rows<{ queue: string; version: number }>(db, "SELECT queue, version FROM outbox");
const one = async <Row>(sql: string): Promise<Row | undefined> => (await rows<Row>(db, sql, id))[0];

const at = (name: string) => ({ taskId: id, turn: 1, claim: name });
const claim = (name: string, now = NOW) => claimTurn(db, { ...at(name), until: now + 10 }, now);
const store = async (name: string, text: string, calls = 0) =>
  (await storeTurn(db, plannedTurn(at(name), text, calls), NOW, TIMINGS)).kind;

describe("what a model says meanwhile", () => {
  const tell = (name: string, delta: string) =>
    narrate(db, { ...at(name), delta, shown: delta, read: 0, written: 0, until: NOW + 50 }, NOW);
  const told = () =>
    rows(db, "SELECT turn, attempt, data FROM events WHERE task_id = ? AND type = 'text'", id);

  it("is told and keeps the claim, and nobody else's is", async () => {
    await claim("a");
    expect(await tell("b", "stolen")).toEqual({ kind: "lost" });
    expect(await tell("a", "Once")).toEqual({ kind: "narrated" });
    expect(await told()).toEqual([{ turn: 1, attempt: "a", data: '{"text":"Once"}' }]);
    expect(await one("SELECT text, revision FROM replies WHERE id = ?")).toEqual({
      text: "Once",
      revision: 2,
    });
    // The claim would have run out at NOW + 10.
    expect((await claim("b", NOW + 20)).kind).toBe("busy");
  });

  it("is told no more when the turn is stored, or the task has ended", async () => {
    await claim("a");
    await store("a", "working", 1);
    expect(await tell("a", "late")).toEqual({ kind: "lost" });
    await endTask(
      db,
      { taskId: id, state: "failed", endedBy: "x", error: null, answer: { text: "done" } },
      NOW,
      TIMINGS,
    );
    expect(await tell("a", "later")).toEqual({ kind: "ended" });
    expect(await told()).toEqual([]);
    expect(await one("SELECT text FROM replies WHERE id = ?")).toEqual({ text: "done" });
  });
});

describe("a doorbell", () => {
  it("that was rung again meanwhile is not deleted by who handled the ring before", async () => {
    await db.prepare("UPDATE outbox SET version = 2").run();
    await dropTaskDoorbell(db, id, 1);
    expect(await doorbells()).toEqual([{ queue: "tasks", version: 2 }]);
    await dropTaskDoorbell(db, id, 2);
    expect(await doorbells()).toEqual([]);
  });

  it("of an inbound that was replayed meanwhile outlives the triage of before", async () => {
    await db.prepare("DELETE FROM outbox").run();
    const inbound = acceptedMessage(`inb_r${task}`, "conv_r");
    await receiveInbound(db, [inbound], NOW, TIMINGS);
    const [row] = await readNewInbound(db, [inbound.id]);
    if (row === undefined) throw new Error("nothing new");
    await db.prepare("UPDATE outbox SET version = 2").run();
    await applyDecisions(db, [{ kind: "ignore", inbound: row, reason: "test" }], NOW, TIMINGS);
    expect(await doorbells()).toEqual([{ queue: "inbound", version: 2 }]);
  });

  it("is taken by one of two sweeps, and not again before its time", async () => {
    await db.prepare("UPDATE outbox SET ring_at = ?").bind(NOW).run();
    expect(await takeDue(db, NOW, TIMINGS)).toHaveLength(1);
    expect(await takeDue(db, NOW, TIMINGS)).toEqual([]);
    expect(await takeDue(db, NOW + TIMINGS.doorbell_grace_ms, TIMINGS)).toHaveLength(1);
    expect(await takeDue(db, NOW + 2 * TIMINGS.doorbell_grace_ms, TIMINGS)).toEqual([]);
  });

  it("that is parked is rung by nobody, and parked once", async () => {
    await db.prepare("UPDATE outbox SET ring_at = 0").run();
    const park = async () => {
      const said = { reason: "broken", text: "x" };
      return (await parkAndTell(db, { queue: "tasks", key: id }, said, NOW, TIMINGS)).kind;
    };
    expect(await park()).toBe("parked");
    expect(await park()).toBe("parked_before");
    expect(await takeDue(db, NOW, TIMINGS)).toEqual([]);
  });
});

describe("an edit", () => {
  it("replaces what a message says until it is read", async () => {
    const inbound = newInbound(`inb_e${task}`, `conv_g${task}`);
    await db
      .prepare(
        "INSERT INTO inbound (id, tenant_id, channel, conversation_id, event, raw, state, received_at) VALUES (?, 'default', 'telegram', ?, '{}', '', 'new', 1)",
      )
      .bind(inbound.id, inbound.conversation_id)
      .run();
    await db
      .prepare("UPDATE messages SET external_id = '7' WHERE conversation_id = ?")
      .bind(inbound.conversation_id)
      .run();
    const edit = async (text: string) => {
      await db.prepare("UPDATE inbound SET state = 'new' WHERE id = ?").bind(inbound.id).run();
      await applyDecisions(
        db,
        [{ kind: "edit", inbound, externalId: "7", content: { type: "text", text } }],
        NOW,
        TIMINGS,
      );
      const [message] = await rows<{ content: string }>(
        db,
        "SELECT content FROM messages WHERE conversation_id = ?",
        inbound.conversation_id,
      );
      return JSON.parse(message?.content ?? "{}").text;
    };
    expect(await edit("better")).toBe("better");
    await claim("a");
    expect(await edit("too late")).toBe("better");
  });
});

describe("a turn", () => {
  it("is claimed by one, until its claim is over or given back", async () => {
    expect((await claim("a")).kind).toBe("claimed");
    expect((await claim("b")).kind).toBe("busy");
    const release = (name: string) =>
      releaseTurn(db, { ...at(name), until: NOW, reason: "x", retryAfterMs: 1, spent: null }, NOW);
    await release("b");
    expect((await claim("b")).kind).toBe("busy");
    await release("a");
    // Whoever waits sees why.
    expect(await one("SELECT text FROM replies WHERE id = ?")).toEqual({
      text: "Waiting for the model: x. I ask it again.",
    });
    expect((await claim("b")).kind).toBe("claimed");
    expect((await claim("c", NOW + 11)).kind).toBe("claimed");
  });

  it("is stored by who has the claim, once, and with its calls", async () => {
    await claim("a");
    await claim("b", NOW + 11);
    expect(await store("a", "late", 2)).toBe("lost");
    expect(await store("b", "mine", 1)).toBe("stored");
    expect(await store("b", "again", 3)).toBe("lost");
    expect(await one("SELECT text FROM turns WHERE task_id = ?")).toEqual({ text: "mine" });
    expect(await one("SELECT COUNT(*) AS n FROM calls WHERE task_id = ?")).toEqual({ n: 1 });
    expect((await claim("c", LATER)).kind).toBe("stored");
  });

  it("without calls is the end of its task, by who has the claim, and by nobody else", async () => {
    const ends = () => rows(db, "SELECT data FROM events WHERE task_id = ? AND type = 'ended'", id);
    await claim("a");
    await claim("b", NOW + 11);
    expect(await store("a", "late")).toBe("lost");
    expect(await one("SELECT state FROM tasks WHERE id = ?")).toEqual({ state: "running" });
    expect(await ends()).toEqual([]);
    expect(await store("b", "done")).toBe("ended");
    expect(await one("SELECT state, ended_by FROM tasks WHERE id = ?")).toEqual({
      state: "succeeded",
      ended_by: "turn:b",
    });
    expect(await one("SELECT text, final FROM replies WHERE id = ?")).toEqual({ text: "done", final: 1 });
    expect(await ends()).toEqual([{ data: '{"state":"succeeded","by":"turn:b","reason":null}' }]);
    expect(await doorbells()).toEqual([]);
    expect(await claim("c", LATER)).toEqual({ kind: "inactive", state: "succeeded" });
  });

  it("without calls changes no end that came before it", async () => {
    await claim("a");
    await endTask(
      db,
      { taskId: id, state: "cancelled", endedBy: "x", error: null, answer: { text: "x" } },
      NOW,
      TIMINGS,
    );
    const stored = await storeTurn(db, plannedTurn(at("a"), "done"), NOW, TIMINGS);
    expect(stored).toEqual({ kind: "ended_before", doorbells: [] });
    expect(await one("SELECT text FROM replies WHERE id = ?")).toEqual({ text: "x" });
    const ends = await rows(db, "SELECT seq FROM events WHERE task_id = ? AND type = 'ended'", id);
    expect(ends).toHaveLength(1);
  });

  it("of a task that has ended is not begun, and reads nothing", async () => {
    await endTask(
      db,
      { taskId: id, state: "failed", endedBy: "x", error: null, answer: { text: "x" } },
      NOW,
      TIMINGS,
    );
    await db
      .prepare("UPDATE messages SET task_id = NULL WHERE conversation_id = ?")
      .bind(`conv_g${task}`)
      .run();
    expect((await claim("a")).kind).toBe("inactive");
    expect(await one("SELECT COUNT(*) AS n FROM turns WHERE task_id = ?")).toEqual({ n: 0 });
    expect(
      await rows(db, "SELECT 1 FROM messages WHERE conversation_id = ? AND task_id IS NULL", `conv_g${task}`),
    ).toHaveLength(1);
  });
});

describe("a call", () => {
  it("keeps the first observation", async () => {
    await claim("a");
    await store("a", "", 1);
    const key = { taskId: id, turn: 1, call: 1 };
    expect(await startCall(db, key, NOW, NOW)).toMatchObject({ kind: "started" });
    await observeCall(db, key, observed("first"), DONE);
    const files = [{ sha256: "0".repeat(64), name: "late.txt", mime: "text/plain", bytes: 1 }];
    const artifacts = () => rows(db, "SELECT name FROM artifacts WHERE task_id = ?", id);
    await observeCall(db, key, observed("second", { ok: false, files }), DONE);
    expect(await artifacts()).toEqual([]);
    expect(await rows(db, "SELECT call FROM events WHERE task_id = ? AND type = 'observed'", id)).toEqual([
      { call: 1 },
    ]);
    expect(await one("SELECT ok, result FROM calls WHERE task_id = ?")).toEqual({ ok: 1, result: "first" });
    expect(await startCall(db, key, NOW, NOW)).toEqual({ kind: "done", ok: true });
  });

  it("that comes back when its task has ended adds no file to the answer", async () => {
    const files = [{ sha256: "1".repeat(64), name: "a.txt", mime: "text/plain", bytes: 1 }];
    const observe = (call: number) =>
      observeCall(db, { taskId: id, turn: 1, call }, observed("", { files }), DONE);
    const artifacts = () => rows(db, "SELECT call FROM artifacts WHERE task_id = ?", id);
    await claim("a");
    await store("a", "", 2);
    await endTask(
      db,
      { taskId: id, state: "cancelled", endedBy: "x", error: null, answer: { text: "x" } },
      NOW,
      TIMINGS,
    );
    await observe(1);
    expect(await artifacts()).toEqual([]);
    await db.prepare("UPDATE tasks SET state = 'running' WHERE id = ?").bind(id).run();
    await observe(2);
    expect(await artifacts()).toEqual([{ call: 2 }]);
  });
});

describe("a task", () => {
  it("is looked after by one, until its claim is over", async () => {
    const claimed = async (now: number) => (await claimTasks(db, [id], now, TIMINGS)).claimed.has(id);
    expect(await claimed(NOW)).toBe(true);
    expect(await claimed(NOW)).toBe(false);
    expect(await claimed(NOW + TIMINGS.reconcile_claim_ms)).toBe(true);
  });

  it("ends once: who comes second finds another's end", async () => {
    const end = (endedBy: string) =>
      endTask(
        db,
        { taskId: id, state: "succeeded", endedBy, error: null, answer: { text: endedBy } },
        NOW,
        TIMINGS,
      );
    expect((await end("a")).kind).toBe("ended");
    expect((await end("b")).kind).toBe("ended_before");
    expect((await end("a")).kind).toBe("ended");
    expect(await one("SELECT ended_by FROM tasks WHERE id = ?")).toEqual({ ended_by: "a" });
    expect(await one("SELECT text, revision FROM replies WHERE id = ?")).toEqual({ text: "a", revision: 2 });
    expect(await doorbells()).toEqual([]);
  });
});
