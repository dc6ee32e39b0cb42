/** Containers that run, counted: a container is taken before it is used, and is somebody else's to use when nobody has used it for long. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import type { CallKey } from "../contracts/turn.ts";
import { Batch } from "./batch.ts";

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
}

/** A call is done with it. */
export async function leaveContainer(
  db: D1Database,
  { taskId, turn, call }: CallKey,
  { conversationId, until, workedMs }: Leaving,
): Promise<void> {
  await new Batch()
    .add("leave", sql`UPDATE containers SET until = ${until} WHERE conversation_id = ${conversationId}`)
    .add(
      "worked",
      sql`UPDATE calls SET container_ms = ${workedMs} WHERE task_id = ${taskId} AND turn = ${turn} AND call = ${call}`,
    )
    .run(db);
}
