/** Stopping whatever runs for a person who is to be forgotten: it is said where it is shown, before nobody knows any more where that was. */
import sql from "sql-template-tag";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { Timings } from "../limits.ts";
import { Batch, prepare } from "./batch.ts";
import { findTheirs, type Forgetting } from "./find-theirs.ts";
import { found, type Outcome } from "./outcome.ts";
import { addStopTask, type Stop } from "./statements/stop-task.ts";

/** Answers with the replies that say so. */
export async function stopTheirTasks(
  db: D1Database,
  person: Forgetting,
  texts: Pick<Stop, "text" | "unreadText">,
  now: number,
  timings: Timings,
): Promise<Outcome<{ replyIds: string[]; doorbells: readonly PendingDoorbell[] }>> {
  const theirs = await findTheirs(db, person);
  if (theirs.kind !== "ok") return theirs;
  const active = theirs.value.tasks.filter(({ is_active }) => is_active === 1);
  if (active.length === 0) return found({ replyIds: [], doorbells: [] });
  const batch = new Batch();
  for (const { id, conversation_id: conversationId } of active) {
    const stop = { ...texts, conversationId, endedBy: `forget:${id}`, taskIdPrefix: id, only: sql`true` };
    addStopTask(batch, id, stop, now, timings);
  }
  const results = await batch.run(db);
  return found({ replyIds: active.map(({ id }) => id), doorbells: results.doorbells() });
}

/** Whether all of these have said what they are to say, or never will. */
export async function areSettled(db: D1Database, replyIds: readonly string[]): Promise<boolean> {
  const open = await prepare(
    db,
    sql`SELECT 1 FROM replies r JOIN conversations c ON c.id = r.conversation_id
      WHERE r.id IN (SELECT value FROM json_each(${JSON.stringify(replyIds)})) AND r.state = 'open' AND c.channel <> 'api' LIMIT 1`,
  ).first();
  return open === null;
}
