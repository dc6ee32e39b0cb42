/** What a model has said of a turn that is not ended yet: shown as progress, told as events, and proof that it is alive. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import type { EventContent } from "../contracts/event.ts";
import { isFinal, TaskState } from "../contracts/task.ts";
import { Batch } from "./batch.ts";
import { appendEvent } from "./statements/events.ts";
import { claimHeld, type TurnClaim } from "./statements/guards.ts";
import { heartbeat } from "./statements/heartbeat.ts";

export interface Narration extends TurnClaim {
  /** What is new, for the task's events; may be empty. */
  readonly delta: string;
  /** What is to be shown until the answer is there. */
  readonly shown: string;
  /** Tokens, as far as is known: what of its call is counted if nobody hears of its end. */
  readonly read: number;
  readonly written: number;
  readonly until: number;
}

/** Ended: nobody waits for the turn any more; lost: somebody else makes it. */
export type Narrated = { kind: "narrated" } | { kind: "lost" } | { kind: "ended" };

/** Passes it on and renews the claim. */
export async function narrate(db: D1Database, narration: Narration, now: number): Promise<Narrated> {
  const { taskId, turn, claim, delta, shown, read, written, until } = narration;
  const held = claimHeld(narration);
  const batch = new Batch().add(
    "claim",
    sql`UPDATE turns SET claimed_until = ${until}
      WHERE task_id = ${taskId} AND turn = ${turn} AND claim = ${claim} AND text IS NULL`,
  );
  if (shown !== "")
    batch.add(
      "shown",
      sql`UPDATE replies SET text = ${shown}, revision = revision + 1 WHERE id = ${taskId} AND final = 0 AND ${held}`,
    );
  if (delta !== "") batch.add("event", appendEvent(taskId, textEvent(turn, claim, delta), now, held));
  batch.add(
    "cost",
    sql`UPDATE reservations SET read_tokens = ${read}, written_tokens = ${written} WHERE claim = ${claim}`,
  );
  const results = await batch
    .add("heartbeat", heartbeat(taskId, until, true))
    .add("task", sql`SELECT state FROM tasks WHERE id = ${taskId}`)
    .run(db);
  const task = results.row("task", z.object({ state: TaskState }));
  if (task === undefined || isFinal(task.state)) return { kind: "ended" };
  return { kind: results.changes("claim") === 1 ? "narrated" : "lost" };
}

const ATTEMPT_CHARS = 8;

/** A turn that is asked for again says its text again: as another attempt. */
export function textEvent(turn: number, claim: string, text: string): EventContent {
  return { type: "text", turn, call: null, attempt: claim.slice(0, ATTEMPT_CHARS), data: { text } };
}
