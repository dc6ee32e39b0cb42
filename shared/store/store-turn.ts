/** Storing a claimed turn. A turn with calls goes on; one without is the end of its task, in the same batch. */
import sql, { type Sql } from "sql-template-tag";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { EventContent } from "../contracts/event.ts";
import type { StoredFile } from "../contracts/file.ts";
import type { Turn } from "../contracts/turn.ts";
import type { Timings } from "../limits.ts";
import { Batch } from "./batch.ts";
import { insertArtifacts } from "./statements/artifacts.ts";
import { addAnswer, endTask } from "./statements/end-task.ts";
import { appendEvents, NOWHERE } from "./statements/events.ts";
import { claimHeld, taskActive, type TurnClaim } from "./statements/guards.ts";
import { pauseDoorbell } from "./statements/heartbeat.ts";
import { textEvent } from "./narrate.ts";
import { addSettle, type Spent } from "./statements/spending.ts";

/** A turn as it is stored, under its claim. */
export interface PlannedTurn extends TurnClaim {
  readonly planned: Turn;
  /** Of each call why it waits for a person; null for one that does not. */
  readonly gates: readonly (string | null)[];
  /** What was too long to be said is a file. */
  readonly files: readonly StoredFile[];
  /** What of its text no event has told yet. */
  readonly untold: string;
  /** Ids of the messages that it read. */
  readonly read: readonly string[];
  /** What it did cost; null where nothing was reserved for it. */
  readonly spent: Spent | null;
  readonly latencyMs: number;
  /** Until then its calls have begun, and the task needs nobody else. */
  readonly until: number;
}

export type StoredTurn =
  | { kind: "stored" }
  /** It was the last, and the task has ended: with it, or before it, by somebody else. */
  | { kind: "ended" | "ended_before"; doorbells: PendingDoorbell[] }
  /** The claim was somebody else's, and nothing was changed. */
  | { kind: "lost" };

export function storeTurn(
  db: D1Database,
  turn: PlannedTurn,
  now: number,
  timings: Timings,
): Promise<StoredTurn> {
  return turn.planned.calls.length > 0 ? storeWithCalls(db, turn, now) : storeAndEnd(db, turn, now, timings);
}

async function storeWithCalls(db: D1Database, turn: PlannedTurn, now: number): Promise<StoredTurn> {
  const { taskId, planned, gates, until } = turn;
  const calls = planned.calls.map(({ tool, input }, index) => ({ tool, input, gate: gates[index] ?? null }));
  const batch = new Batch();
  addFiles(batch, turn)
    .add(
      "calls",
      sql`INSERT INTO calls (task_id, turn, call, tool, input, gate)
        SELECT ${taskId}, ${turn.turn}, key + 1, value->>'tool', value->'input', value->>'gate' FROM json_each(${JSON.stringify(calls)})
        WHERE ${claimHeld(turn)} ON CONFLICT DO NOTHING`,
    )
    .add("events", appendEvents(taskId, listEvents(turn), now, claimHeld(turn)))
    .add("turn", answerTurn(turn))
    .add("pause", pauseDoorbell(taskId, until));
  const results = await addCost(batch, turn).run(db);
  return { kind: results.changes("turn") === 1 ? "stored" : "lost" };
}

async function storeAndEnd(
  db: D1Database,
  turn: PlannedTurn,
  now: number,
  timings: Timings,
): Promise<StoredTurn> {
  const { taskId, claim } = turn;
  const { error } = turn.planned;
  const state = error === null ? ("succeeded" as const) : ("failed" as const);
  const end = { taskId, state, endedBy: `turn:${claim}`, error };
  const ended: EventContent = {
    type: "ended",
    ...NOWHERE,
    data: { state: end.state, by: end.endedBy, reason: null },
  };
  const batch = new Batch();
  addFiles(batch, turn)
    .add(
      "events",
      appendEvents(
        taskId,
        [...listEvents(turn), ended],
        now,
        claimHeld(turn),
        sql`(value->>'type' <> 'ended' OR ${taskActive(taskId)})`,
      ),
    )
    .add("turn", answerTurn(turn))
    // Hangs on what this claim has stored: a claim that was lost ends nothing.
    .add("end", endTask(end, now, answeredBy(turn)));
  const answer = { turn: turn.turn };
  addAnswer(batch, { ...end, answer }, now, timings);
  const results = await addCost(batch, turn).run(db);
  if (results.changes("turn") === 0) return { kind: "lost" };
  const kind = results.changes("end") === 1 ? "ended" : "ended_before";
  return { kind, doorbells: results.doorbells() };
}

function addCost(batch: Batch, { claim, spent }: PlannedTurn): Batch {
  return spent === null ? batch : addSettle(batch, claim, spent);
}

function addFiles(batch: Batch, turn: PlannedTurn): Batch {
  if (turn.files.length === 0) return batch;
  return batch.add("files", insertArtifacts({ ...turn, call: 0 }, turn.files, claimHeld(turn)));
}

function listEvents({ turn, claim, planned, read, untold }: PlannedTurn): EventContent[] {
  const at = { turn, call: null, attempt: null };
  const data = { model: planned.model, calls: planned.calls.length, read: [...read] };
  return [...(untold === "" ? [] : [textEvent(turn, claim, untold)]), { type: "planned", ...at, data }];
}

/** After everything that asks whether it is still to be answered. */
function answerTurn({ taskId, turn, claim, planned, latencyMs }: PlannedTurn): Sql {
  const { tokensIn, tokensOut, costUsd } = planned.usage;
  return sql`UPDATE turns SET text = ${planned.text}, model = ${planned.model}, tokens_in = ${tokensIn},
      tokens_out = ${tokensOut}, latency_ms = ${latencyMs}, cost_usd = ${costUsd}
    WHERE task_id = ${taskId} AND turn = ${turn} AND claim = ${claim} AND text IS NULL`;
}

function answeredBy({ taskId, turn, claim }: TurnClaim): Sql {
  return sql`EXISTS (SELECT 1 FROM turns WHERE task_id = ${taskId} AND turn = ${turn} AND claim = ${claim} AND text IS NOT NULL)`;
}
