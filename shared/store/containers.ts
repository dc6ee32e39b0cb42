/** Containers that run, counted: a container is taken before it is used, and is somebody else's to use when nobody has used it for long. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import type { Fetched } from "../contracts/event.ts";
import type { CallKey } from "../contracts/turn.ts";
import { Batch } from "./batch.ts";
import { appendEvents } from "./statements/events.ts";

interface Taking {
  readonly conversationId: string;
  /** Until when it may run. */
  readonly until: number;
  /** As many may run at once. */
  readonly max: number;
}

/** Takes one, or keeps it longer. @returns whether there is room for it. */
export async function takeContainer(
  db: D1Database,
  { conversationId, until, max }: Taking,
  now: number,
): Promise<boolean> {
  const results = await new Batch()
    .add("over", sql`DELETE FROM containers WHERE until <= ${now}`)
    .add(
      "take",
      sql`INSERT INTO containers (conversation_id, until) SELECT ${conversationId}, ${until}
        WHERE (SELECT COUNT(*) FROM containers WHERE conversation_id <> ${conversationId}) < ${max}
        ON CONFLICT (conversation_id) DO UPDATE SET until = MAX(until, excluded.until)
        RETURNING until`,
    )
    .run(db);
  return results.rows("take", z.object({ until: z.int() })).length > 0;
}

interface Leaving {
  readonly conversationId: string;
  /** When it will have ended, if nobody uses it. */
  readonly until: number;
  /** How long it has worked for the call. */
  readonly workedMs: number;
  /** Of the call, from 1. */
  readonly attempt: number;
  /** What it has asked for through its gate: told once of each attempt. */
  readonly fetched: readonly Fetched[];
}

/** A call is done with it. */
export async function leaveContainer(
  db: D1Database,
  { taskId, turn, call }: CallKey,
  { conversationId, until, workedMs, attempt, fetched }: Leaving,
  now: number,
): Promise<void> {
  const events = fetched.map((data) => ({
    type: "fetched" as const,
    turn,
    call,
    attempt: String(attempt),
    data,
  }));
  const isTold = sql`NOT EXISTS (SELECT 1 FROM events WHERE task_id = ${taskId} AND type = 'fetched' AND turn = ${turn} AND call = ${call} AND attempt = ${String(attempt)})`;
  const batch = new Batch();
  if (events.length > 0) batch.add("fetched", appendEvents(taskId, events, now, isTold));
  await batch
    .add("leave", sql`UPDATE containers SET until = ${until} WHERE conversation_id = ${conversationId}`)
    .add(
      "worked",
      sql`UPDATE calls SET container_ms = ${workedMs} WHERE task_id = ${taskId} AND turn = ${turn} AND call = ${call}`,
    )
    .run(db);
}
