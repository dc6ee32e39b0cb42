/**
 * Forgetting a person: what they said, and what was done and made for them. Of what came in, the hash stays that stops a redelivery.
 * Their files' content goes when nothing names it any more (`shared/sweep-files.ts`).
 */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { Timings } from "../limits.ts";
import { Batch } from "./batch.ts";
import { found, NOT_FOUND, type Outcome, readRefusal } from "./outcome.ts";
import { addDeleteReplies, addDeleteTasks, addDropConversations } from "./statements/deletions.ts";
import { ringAgain } from "./statements/doorbells.ts";
import { ACTIVE, type Caller, findKey, selectTenant } from "./statements/guards.ts";
import { addStartTasks, selectConversations } from "./statements/start-tasks.ts";

export interface Forgetting {
  readonly caller: Caller;
  readonly channel: string;
  readonly externalId: string;
  /** What the audit calls them from now on. */
  readonly pseudonym: string;
}

export interface Forgotten {
  readonly tasks: number;
  readonly messages: number;
  readonly doorbells: readonly PendingDoorbell[];
}

const Task = z.object({ id: z.string(), conversation_id: z.string() });
const Id = z.object({ id: z.string() });

/** Not found: nothing of theirs is kept. Reads whole tables, for it is rare, and an index would cost every message a row. */
export async function forgetPerson(
  db: D1Database,
  person: Forgetting,
  now: number,
  timings: Timings,
): Promise<Outcome<Forgotten>> {
  const { caller, channel, externalId } = person;
  const sender = `${channel}:${externalId}`;
  const tenant = selectTenant(caller);
  const read = await new Batch()
    .add("key", findKey(caller))
    .add(
      "tasks",
      sql`SELECT id, conversation_id FROM tasks WHERE sender = ${sender} AND tenant_id = ${tenant}`,
    )
    .add(
      "messages",
      sql`SELECT m.id, m.conversation_id FROM messages m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.sender = ${sender} AND c.tenant_id = ${tenant}`,
    )
    .add(
      "inbound",
      sql`SELECT id FROM inbound WHERE tenant_id = ${tenant} AND channel = ${channel}
        AND json_valid(event) AND event->>'$.sender.id' = ${externalId}`,
    )
    .add(
      "person",
      sql`SELECT external_id AS id FROM people
        WHERE tenant_id = ${tenant} AND channel = ${channel} AND external_id = ${externalId}`,
    )
    .run(db);
  const refusal = readRefusal(read);
  if (refusal !== null) return refusal;
  const tasks = read.rows("tasks", Task);
  const messages = read.rows("messages", Task);
  const inbound = read.rows("inbound", Id).map(({ id }) => id);
  if (tasks.length + messages.length + inbound.length === 0 && !read.has("person")) return NOT_FOUND;
  const conversations = [...new Set([...tasks, ...messages].map(({ conversation_id: id }) => id))];
  const batch = new Batch();
  addStopWork(
    batch,
    tasks.map(({ id }) => id),
    now,
  );
  addDeleteTasks(
    batch,
    tasks.map(({ id }) => id),
  );
  addDeleteMessages(
    batch,
    messages.map(({ id }) => id),
  );
  addEraseInbound(batch, inbound);
  addErasePerson(batch, person, now);
  // Others may have said something behind their task.
  addStartTasks(batch, selectConversations(conversations), now, timings);
  addDropConversations(batch, conversations);
  const results = await batch.run(db);
  return found({ tasks: tasks.length, messages: messages.length, doorbells: results.doorbells() });
}

/** Whoever is at work on a task finds no row of it; its Workflow is ended by whoever answers this ring. */
function addStopWork(batch: Batch, taskIds: readonly string[], now: number): void {
  batch
    .add(
      "desk",
      sql`DELETE FROM outbox WHERE queue = 'tasks' AND parked_reason IS NOT NULL AND key IN (SELECT value FROM json_each(${JSON.stringify(taskIds)}))`,
    )
    .addRinging(
      "stop",
      sql`INSERT INTO outbox (queue, key, ring_at) SELECT 'tasks', id, ${now} FROM tasks
        WHERE id IN (SELECT value FROM json_each(${JSON.stringify(taskIds)})) AND ${ACTIVE} ${ringAgain(now)}`,
    );
}

function addDeleteMessages(batch: Batch, messageIds: readonly string[]): void {
  const ids = sql`(SELECT value FROM json_each(${JSON.stringify(messageIds)}))`;
  batch
    .add("attachments", sql`DELETE FROM attachments WHERE message_id IN ${ids}`)
    .add("messages", sql`DELETE FROM messages WHERE id IN ${ids}`);
}

function addEraseInbound(batch: Batch, inboundIds: readonly string[]): void {
  const ids = sql`(SELECT value FROM json_each(${JSON.stringify(inboundIds)}))`;
  addDeleteReplies(batch.within("of inbound"), [...inboundIds, ...inboundIds.map((id) => `${id}:parked`)]);
  batch
    .add("inbound doorbells", sql`DELETE FROM outbox WHERE queue = 'inbound' AND key IN ${ids}`)
    .add(
      "inbound",
      sql`UPDATE inbound SET event = NULL, raw = NULL, conversation_id = NULL, note = 'forgotten', state = 'ignored' WHERE id IN ${ids}`,
    );
}

function addErasePerson(
  batch: Batch,
  { caller, channel, externalId, pseudonym }: Forgetting,
  now: number,
): void {
  const tenant = selectTenant(caller);
  const name = `${channel}:${externalId}`;
  batch
    .add(
      "person",
      sql`DELETE FROM people WHERE tenant_id = ${tenant} AND channel = ${channel} AND external_id = ${externalId}`,
    )
    .add(
      "audit",
      sql`UPDATE audit SET by = CASE by WHEN ${name} THEN ${pseudonym} ELSE by END, whom = CASE whom WHEN ${name} THEN ${pseudonym} ELSE whom END
        WHERE tenant_id = ${tenant} AND ${name} IN (by, whom)`,
    )
    .add(
      "told",
      sql`INSERT INTO audit (tenant_id, at, by, what, whom) VALUES (${tenant}, ${now}, 'api', 'forgotten', ${pseudonym})`,
    );
}
