/** Giving a claimed turn back after a Transient failure. */
import sql from "sql-template-tag";
import { Batch } from "./batch.ts";
import { appendEvent } from "./statements/events.ts";
import { claimHeld, type TurnClaim } from "./statements/guards.ts";
import { heartbeat, pauseDoorbell } from "./statements/heartbeat.ts";
import { addSettle, type Spent } from "./statements/spending.ts";

export interface ReleasedTurn extends TurnClaim {
  readonly reason: string;
  readonly retryAfterMs: number;
  /** What it did cost; null where nothing was reserved for it. */
  readonly spent: Spent | null;
  /** The task stays alive until then: until it is asked for again. */
  readonly until: number;
}

export async function releaseTurn(db: D1Database, released: ReleasedTurn, now: number): Promise<void> {
  const { taskId, turn, claim, reason, retryAfterMs, until, spent } = released;
  const data = { reason, retry_after_ms: retryAfterMs };
  const event = { type: "delayed" as const, turn, call: null, attempt: null, data };
  // What is shown while it takes longer: why.
  const shown = `Waiting for the model: ${reason}. I ask it again.`;
  const batch = new Batch().add("event", appendEvent(taskId, event, now, claimHeld(released))).add(
    "release",
    sql`UPDATE turns SET claimed_until = 0
        WHERE task_id = ${taskId} AND turn = ${turn} AND claim = ${claim} AND text IS NULL`,
  );
  batch
    .add(
      "shown",
      sql`UPDATE replies SET text = ${shown}, revision = revision + 1 WHERE id = ${taskId} AND final = 0 AND ${claimHeld(released)}`,
    )
    .add("heartbeat", heartbeat(taskId, until))
    .add("pause", pauseDoorbell(taskId, until));
  if (spent !== null) addSettle(batch, claim, spent);
  await batch.run(db);
}
