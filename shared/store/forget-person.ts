/**
 * Forgetting a person: what they said, and what was done and made for them. Of what came in, the hash stays that stops a redelivery.
 * Their files' content goes when nothing names it any more (`shared/sweep-files.ts`).
 */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { Timings } from "../limits.ts";
import { changeIdKind } from "../ids.ts";
import { Batch, prepare } from "./batch.ts";
import { found, NOT_FOUND, type Outcome, readRefusal } from "./outcome.ts";
import { addDeleteReplies, addDeleteTasks, addDropConversations } from "./statements/deletions.ts";
import { ringAgain } from "./statements/doorbells.ts";
import { ACTIVE, type Caller, findKey, selectTenant } from "./statements/guards.ts";
import { addStartTasks, selectConversations } from "./statements/start-tasks.ts";
import { addStopTask, type Stop } from "./statements/stop-task.ts";

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

const Task = z.object({ id: z.string(), conversation_id: z.string(), is_active: z.int() });
const Message = z.object({ id: z.string(), conversation_id: z.string() });
const Inbound = z.object({ id: z.string(), conversation_id: z.nullable(z.string()), is_theirs: z.int() });

/** What is theirs: a task in a topic that has read what they said is, too. Reads whole tables, for it is rare, and an index would cost every message a row. */
async function findTheirs(db: D1Database, { caller, channel, externalId }: Forgetting) {
  const sender = `${channel}:${externalId}`;
  const tenant = selectTenant(caller);
  const said = sql`SELECT m.id, m.conversation_id, m.task_id FROM messages m JOIN conversations c ON c.id = m.conversation_id
    WHERE m.sender = ${sender} AND c.tenant_id = ${tenant}`;
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "tasks",
      sql`SELECT id, conversation_id, ${ACTIVE} AS is_active FROM tasks
        WHERE tenant_id = ${tenant} AND (sender = ${sender} OR id IN (SELECT task_id FROM (${said})))`,
    )
    .add("messages", said)
    // What nobody could read is theirs if it names them.
    .add(
      "inbound",
      sql`SELECT id, conversation_id, COALESCE(event->>'$.sender.id' = ${externalId}, 1) AS is_theirs FROM inbound
        WHERE tenant_id = ${tenant} AND channel = ${channel} AND CASE WHEN json_valid(event)
          THEN ${externalId} IN (event->>'$.sender.id', COALESCE(event->>'$.answersTo.id', ''))
          ELSE ${names(externalId)} END`,
    )
    .add(
      "person",
      sql`SELECT 1 FROM people WHERE tenant_id = ${tenant} AND channel = ${channel} AND external_id = ${externalId}`,
    )
    .run(db);
  const refusal = readRefusal(results);
  if (refusal !== null) return refusal;
  const theirs = {
    tasks: results.rows("tasks", Task),
    messages: results.rows("messages", Message),
    inbound: results.rows("inbound", Inbound),
  };
  const { tasks, messages, inbound } = theirs;
  const isNobody = tasks.length + messages.length + inbound.length === 0 && !results.has("person");
  return isNobody ? NOT_FOUND : found(theirs);
}

/** Whether a request holds this id as a value of its JSON, as far as it is some. */
function names(externalId: string): Sql {
  const raw = sql`replace(CAST(raw AS TEXT), ' ', '')`;
  const spellings = [`:${externalId},`, `:${externalId}}`, `:"${externalId}"`];
  return sql`EXISTS (SELECT 1 FROM json_each(${JSON.stringify(spellings)}) WHERE instr(${raw}, value) > 0)`;
}

/** Stops what runs for them, so that it is said where it is shown, before it is deleted. Answers with the replies that say so. */
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

/** Deletes it. Not found: nothing of theirs is kept. */
export async function forgetPerson(
  db: D1Database,
  person: Forgetting,
  now: number,
  timings: Timings,
): Promise<Outcome<Forgotten>> {
  const theirs = await findTheirs(db, person);
  if (theirs.kind !== "ok") return theirs;
  const { messages, inbound } = theirs.value;
  const tasks = theirs.value.tasks.map(({ id }) => id);
  const places = [...theirs.value.tasks, ...messages, ...inbound];
  const conversations = [...new Set(places.flatMap(({ conversation_id: id }) => id ?? []))];
  const batch = new Batch();
  addStopWork(batch, tasks, now);
  addDeleteTasks(batch, tasks);
  addDeleteMessages(
    batch,
    messages.map(({ id }) => id),
  );
  const answering = inbound.filter(({ is_theirs }) => is_theirs === 0).map(({ id }) => id);
  addEraseQuotes(batch, answering);
  addEraseInbound(
    batch,
    inbound.filter(({ is_theirs }) => is_theirs === 1).map(({ id }) => id),
  );
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

/** What others have answered to them: their words stand in it as a quote. */
function addEraseQuotes(batch: Batch, inboundIds: readonly string[]): void {
  const messageIds = inboundIds.map((id) => changeIdKind(id, "msg"));
  batch
    .add(
      "quotes",
      sql`UPDATE messages SET content = json_remove(content, '$.quote')
        WHERE id IN (SELECT value FROM json_each(${JSON.stringify(messageIds)}))`,
    )
    .add(
      "quoting",
      sql`UPDATE inbound SET event = json_remove(event, '$.quote', '$.answersTo'), raw = NULL
        WHERE id IN (SELECT value FROM json_each(${JSON.stringify(inboundIds)}))`,
    );
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
