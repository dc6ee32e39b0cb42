/**
 * Forgetting a person: everything that is theirs is deleted. Of what came in, the hash stays that stops a redelivery.
 * Their files' content goes when nothing names it any more (`shared/sweep-files.ts`).
 */
import sql from "sql-template-tag";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { Timings } from "../limits.ts";
import { changeIdKind } from "../ids.ts";
import { Batch } from "./batch.ts";
import { findTheirs, type Forgetting } from "./find-theirs.ts";
import { found, type Outcome } from "./outcome.ts";
import {
  addDeleteReplies,
  addDeleteTasks,
  addDropConversations,
  deleteSent,
} from "./statements/deletions.ts";
import { ringAgain } from "./statements/doorbells.ts";
import { ACTIVE, selectTenant } from "./statements/guards.ts";
import { addStartTasks, selectConversations } from "./statements/start-tasks.ts";

export interface Forgotten {
  readonly tasks: number;
  readonly messages: number;
  readonly doorbells: readonly PendingDoorbell[];
}

/** Not found: nothing of theirs is kept. */
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
    .add("sent", deleteSent(sql`SELECT value FROM json_each(${JSON.stringify(messageIds)})`))
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
    // What everybody together has spent stays counted.
    .add("spending", sql`DELETE FROM spending WHERE tenant_id = ${tenant} AND sender = ${name}`)
    // What they decided of others' tasks stays decided, by somebody.
    .add(
      "decided",
      sql`UPDATE approvals SET decided_by = ${pseudonym}, reason = NULL WHERE tenant_id = ${tenant} AND decided_by = ${name}`,
    )
    .add(
      "decided events",
      sql`UPDATE events SET data = json_set(data, '$.by', ${pseudonym}, '$.reason', NULL) WHERE type = 'decided' AND data->>'by' = ${name}
        AND task_id IN (SELECT id FROM tasks WHERE tenant_id = ${tenant})`,
    )
    .add(
      "told",
      sql`INSERT INTO audit (tenant_id, at, by, what, whom) VALUES (${tenant}, ${now}, 'api', 'forgotten', ${pseudonym})`,
    );
}
