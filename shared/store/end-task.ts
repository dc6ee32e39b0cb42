/** Ending a task that is still active, for whoever in the executor comes to its end. */
import * as z from "zod/mini";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { Timings } from "../limits.ts";
import { Batch } from "./batch.ts";
import { addEndTask, type TaskEnd } from "./statements/end-task.ts";

export type EndedTask = {
  /** `ended_before`: somebody else has, in another way. */
  kind: "ended" | "ended_before";
  conversationId: string;
  /** To ring: the reply's and, if something was unread, the next task's. */
  doorbells: PendingDoorbell[];
};

export async function endTask(
  db: D1Database,
  end: TaskEnd,
  now: number,
  timings: Timings,
): Promise<EndedTask> {
  const results = await addEndTask(new Batch(), end, now, timings).run(db);
  const ended = results.row("ended", z.object({ conversation_id: z.string(), by_me: z.int() }));
  return {
    kind: ended?.by_me === 1 ? "ended" : "ended_before",
    conversationId: ended?.conversation_id ?? "",
    doorbells: results.doorbells(),
  };
}
