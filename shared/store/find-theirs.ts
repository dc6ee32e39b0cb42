/** What there is of a person: what they said, and what was done and made for them. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { Batch } from "./batch.ts";
import { found, NOT_FOUND, readRefusal } from "./outcome.ts";
import { ACTIVE, type Caller, findKey, selectTenant } from "./statements/guards.ts";

/** Somebody who is to be forgotten, and who asks for it. */
export interface Forgetting {
  readonly caller: Caller;
  readonly channel: string;
  readonly externalId: string;
  /** What the audit calls them from now on. */
  readonly pseudonym: string;
}

const Task = z.object({ id: z.string(), conversation_id: z.string(), is_active: z.int() });
const Message = z.object({ id: z.string(), conversation_id: z.string() });
const Inbound = z.object({ id: z.string(), conversation_id: z.nullable(z.string()), is_theirs: z.int() });

/** A task in a topic that has read what they said is theirs, too. Reads whole tables, for it is rare, and an index would cost every message a row. */
export async function findTheirs(db: D1Database, { caller, channel, externalId }: Forgetting) {
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
