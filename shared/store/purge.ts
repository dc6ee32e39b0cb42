/** Retention: what is old is deleted, as much at a time as one batch takes. What is kept how long is said in docs/operations.md. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { LIMITS, type Timings } from "../limits.ts";
import { dayOf } from "../policy/caps.ts";
import { Batch, select } from "./batch.ts";
import { addDeleteReplies, addDeleteTasks, addDropConversations } from "./statements/deletions.ts";

const Row = z.object({ id: z.string(), conversation_id: z.nullable(z.string()) });

/** One round; returns how many rows it found to be old. As many as `LIMITS.purge_rows_max` of a kind: there may be more. */
export async function purge(db: D1Database, now: number, timings: Timings): Promise<number> {
  const rounds = [purgeTasks, purgeInbound, purgeNotices, purgeRest];
  const counts: number[] = [];
  for (const round of rounds) counts.push(await round(db, now, timings));
  return Math.max(...counts);
}

/** Tasks that ended long ago. */
async function purgeTasks(db: D1Database, now: number, { task_kept_ms }: Timings): Promise<number> {
  // Read, and not decided upon: what has ended stays so.
  const old = await select(
    db,
    sql`SELECT id, conversation_id FROM tasks WHERE ended_at < ${now - task_kept_ms} ORDER BY ended_at LIMIT ${LIMITS.purge_rows_max}`,
    Row,
  );
  if (old.length === 0) return 0;
  const batch = new Batch();
  addDeleteTasks(
    batch,
    old.map(({ id }) => id),
  );
  addDropConversations(batch, listConversations(old));
  await batch.run(db);
  return old.length;
}

/** What no platform delivers again, and the replies that it needed no task for. */
async function purgeInbound(db: D1Database, now: number, { inbound_kept_ms }: Timings): Promise<number> {
  // Read, and not decided upon: what was handled stays so.
  const old = await select(
    db,
    sql`SELECT id, conversation_id FROM inbound WHERE state IN ('handled', 'ignored') AND received_at < ${now - inbound_kept_ms}
      ORDER BY received_at LIMIT ${LIMITS.purge_rows_max}`,
    Row,
  );
  if (old.length === 0) return 0;
  const ids = old.map(({ id }) => id);
  const batch = new Batch();
  addDeleteReplies(batch, [...ids, ...ids.map((id) => `${id}:parked`)]);
  batch.add(
    "inbound",
    sql`DELETE FROM inbound WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
  );
  addDropConversations(batch, listConversations(old));
  await batch.run(db);
  return old.length;
}

/** What was told of alerts, in a chat too. */
async function purgeNotices(db: D1Database, now: number, { inbound_kept_ms }: Timings): Promise<number> {
  // Of what is wrong still, the end is told to whom this was.
  const old = sql`FROM notices WHERE created_at < ${now - inbound_kept_ms} AND NOT EXISTS (SELECT 1 FROM alerts a
      WHERE a.kind = notices.kind AND a.subject = notices.subject AND a.revision = notices.revision AND a.told = 'firing')
    ORDER BY created_at LIMIT ${LIMITS.purge_rows_max}`;
  const told = await select(db, sql`SELECT reply_id ${old}`, z.object({ reply_id: z.nullable(z.string()) }));
  if (told.length === 0) return 0;
  const batch = new Batch();
  addDeleteReplies(
    batch,
    told.flatMap(({ reply_id }) => reply_id ?? []),
  );
  batch.add(
    "notices",
    sql`DELETE FROM notices WHERE (kind, subject, revision, sink) IN (SELECT kind, subject, revision, sink ${old})`,
  );
  await batch.run(db);
  return told.length;
}

/** Dead letters that nobody has looked at, strangers whom nobody has admitted, who decided what about whom, and what was spent. */
async function purgeRest(db: D1Database, now: number, timings: Timings): Promise<number> {
  const letters = now - timings.dead_letter_kept_ms;
  const unused = sql`SELECT conversation_id FROM workspaces w WHERE changed_at < ${now - timings.task_kept_ms}
    AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.id = w.conversation_id)`;
  const results = await new Batch()
    .add(
      "parked inbound",
      sql`UPDATE inbound SET state = 'ignored', note = 'put aside, and never looked at' WHERE state = 'parked' AND id IN (
        SELECT key FROM outbox WHERE parked_reason IS NOT NULL AND parked_at < ${letters} AND queue = 'inbound')`,
    )
    .add("letters", sql`DELETE FROM outbox WHERE parked_reason IS NOT NULL AND parked_at < ${letters}`)
    .add(
      "strangers",
      sql`DELETE FROM people WHERE role = 'unknown' AND created_at < ${now - timings.stranger_kept_ms}`,
    )
    .add(
      "audit",
      sql`DELETE FROM audit WHERE seq < (SELECT MIN(seq) + ${LIMITS.purge_rows_max} FROM audit) AND at < ${now - timings.audit_kept_ms}`,
    )
    .add("spending", sql`DELETE FROM spending WHERE day < ${dayOf(now - timings.task_kept_ms)}`)
    .add(
      "reservations",
      sql`DELETE FROM reservations WHERE is_lost = 1 AND until < ${now - timings.task_deadline_ms}`,
    )
    // Filled by a program, and never used: what a conversation has, ends with it.
    .add("unused files", sql`DELETE FROM workspace_files WHERE conversation_id IN (${unused})`)
    .add("unused workspaces", sql`DELETE FROM workspaces WHERE conversation_id IN (${unused})`)
    .add("streams", sql`DELETE FROM streams WHERE open_until < ${now}`)
    .run(db);
  return results.changes("audit");
}

function listConversations(rows: readonly z.infer<typeof Row>[]): string[] {
  return [...new Set(rows.flatMap(({ conversation_id: id }) => id ?? []))];
}
