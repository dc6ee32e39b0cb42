/**
 * "An unread message has an active task": triage, claims, ends and stops of one conversation, interleaved, repeated
 * and reordered at random. A failure names its seed; the same seed is the same story.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { TIMINGS } from "../../../shared/limits.ts";
import { applyDecisions } from "../../../shared/store/apply-decisions.ts";
import { claimTurn } from "../../../shared/store/claim-turn.ts";
import { endTask } from "../../../shared/store/end-task.ts";
import { readNewInbound } from "../../../shared/store/inbound.ts";
import { receiveInbound } from "../../../shared/store/receive.ts";
import { storeTurn } from "../../../shared/store/store-turn.ts";
import type { Decision } from "../../../shared/store/decision.ts";
import { acceptedMessage, plannedTurn, whereOf } from "../builders.ts";
import { openDatabase, rows } from "../database.ts";

const STORIES = 24;
const STEPS = 40;

let db: D1Database;
beforeAll(async () => {
  db = await openDatabase();
});

/** A small linear congruential generator: stories must be repeatable, not unpredictable. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

class Story {
  readonly conversationId: string;
  private readonly seed: number;
  private now = 1_000;
  private messages = 0;
  private readonly arrived: string[] = [];

  constructor(seed: number) {
    this.seed = seed;
    this.conversationId = `conv_story${seed}`;
  }

  async arrive(): Promise<void> {
    const id = `inb_s${this.seed}m${this.messages++}`;
    await receiveInbound(db, [acceptedMessage(id, this.conversationId)], this.now++, TIMINGS);
    this.arrived.push(id);
  }

  /** Triage as it is when two consumers read the same rows: what was read is carried out twice. */
  async triage(stop: boolean, twice: boolean): Promise<void> {
    const inbound = await readNewInbound(db, this.arrived);
    const decisions = inbound.map((row, index): Decision => {
      const where = whereOf(row);
      if (stop && index === Math.floor(inbound.length / 2)) {
        return {
          kind: "stop",
          ...where,
          taskIdPrefix: "task_",
          text: "stopped{unread}",
          unreadText: " {n}",
          idleText: "idle",
        };
      }
      return {
        kind: "message",
        ...where,
        messageId: row.id.replace("inb", "msg"),
        taskId: row.id.replace("inb", "task"),
        sender: "telegram:1",
        content: { type: "text", text: row.id },
      };
    });
    if (decisions.length === 0) return;
    for (let i = 0; i < (twice ? 2 : 1); i++) await applyDecisions(db, decisions, this.now++, TIMINGS);
  }

  async tasks(): Promise<{ id: string; state: string; ended_by: string | null }[]> {
    return rows(
      db,
      "SELECT id, state, ended_by FROM tasks WHERE conversation_id = ? ORDER BY seq",
      this.conversationId,
    );
  }

  /** A turn of any task, ended ones too: workers outlive their tasks. */
  async turn(taskId: string, turn: number): Promise<void> {
    const claim = `c${this.now}`;
    const [before, task] = [await this.unread(), (await this.tasks()).find(({ id }) => id === taskId)];
    const key = { taskId, turn, claim };
    const claimed = await claimTurn(db, { ...key, until: this.now + 5 }, this.now++);
    if (task?.ended_by !== null) expect(await this.unread(), `seed ${this.seed}: swallowed`).toEqual(before);
    if (claimed.kind !== "claimed") return;
    // Some turns go on, and others are the end.
    await storeTurn(db, plannedTurn(key, "done", this.now % 2), this.now, TIMINGS);
  }

  unread(): Promise<{ id: string }[]> {
    return rows(
      db,
      "SELECT id FROM messages WHERE conversation_id = ? AND task_id IS NULL",
      this.conversationId,
    );
  }

  async end(taskId: string, endedBy: string): Promise<void> {
    const state = endedBy === "workflow" ? ("succeeded" as const) : ("timed_out" as const);
    await endTask(
      db,
      { taskId, state, endedBy, error: null, answer: { text: endedBy } },
      this.now++,
      TIMINGS,
    );
  }

  async check(): Promise<void> {
    const id = this.conversationId;
    const active = (await this.tasks()).filter(({ state }) => ["queued", "running"].includes(state));
    const unread = await this.unread();
    expect(active.length, `seed ${this.seed}: one active task`).toBeLessThanOrEqual(1);
    if (unread.length > 0) expect(active, `seed ${this.seed}: unread without an active task`).toHaveLength(1);
    const overtaken = await rows(
      db,
      `SELECT t.id FROM tasks t JOIN inbound i ON i.id = 'inb_' || substr(t.id, 6) JOIN inbound s ON 'stop:' || s.id = t.ended_by
       WHERE t.conversation_id = ? AND i.seq > s.seq`,
      id,
    );
    expect(overtaken, `seed ${this.seed}: a stop ended what was said after it`).toEqual([]);
    const open = await rows(
      db,
      `SELECT t.id FROM tasks t JOIN replies r ON r.id = t.id WHERE t.conversation_id = ?
       AND (r.final = 1) <> (t.state IN ('succeeded', 'failed', 'cancelled', 'timed_out'))`,
      id,
    );
    expect(open, `seed ${this.seed}: an ended task is an answered one`).toEqual([]);
  }
}

describe("a conversation", () => {
  it.each(Array.from({ length: STORIES }, (_, seed) => seed))(
    "keeps its invariants in story %i",
    async (seed) => {
      const random = randomOf(seed);
      const story = new Story(seed);
      for (let step = 0; step < STEPS; step++) {
        const tasks = await story.tasks();
        const task = tasks[random(tasks.length + 1)] ?? tasks.at(-1);
        const what = random(10);
        if (what < 3) await story.arrive();
        else if (what < 6) await story.triage(random(4) === 0, random(2) === 0);
        else if (task !== undefined && what < 8) await story.turn(task.id, 1 + random(2));
        else if (task !== undefined) await story.end(task.id, random(3) === 0 ? "deadline" : "workflow");
        await story.check();
      }
      // Let everything come to its end: nothing may be left behind.
      await story.triage(false, true);
      for (let left = 0; left < STEPS * 2; left++) {
        const active = (await story.tasks()).findLast(({ state }) => ["queued", "running"].includes(state));
        if (active === undefined) break;
        await story.turn(active.id, 9);
        await story.end(active.id, "workflow");
        await story.check();
      }
      expect(await story.unread()).toEqual([]);
      const waiting = await rows(
        db,
        "SELECT key FROM outbox WHERE queue IN ('inbound', 'tasks') AND key LIKE ?",
        `%_s${seed}m%`,
      );
      const stopped = await rows(
        db,
        "SELECT key FROM outbox o JOIN tasks t ON t.id = o.key WHERE o.queue = 'tasks' AND t.state = 'cancelled' AND key LIKE ?",
        `%_s${seed}m%`,
      );
      expect(waiting).toHaveLength(stopped.length);
    },
  );
});
