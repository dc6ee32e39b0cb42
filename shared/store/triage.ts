/** The one batch by which triage carries out what it decided, for a whole queue batch at once. */
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { Timings } from "../limits.ts";
import { doorbellsOf } from "./outbox.ts";
import { admitGroup, followGroup, introduce } from "./people.ts";
import type { Decision, DecisionOf } from "./decision.ts";
import { conversationsIn, startStatements } from "./start.ts";
import { pressButton, stopOrSaySo } from "./stopping.ts";

/**
 * Carries out the decisions in their order. What is said in between commands is written set-wise, so a batch of
 * a hundred messages takes the statements of one. Returns the doorbells to ring.
 */
export async function carryOut(
  db: D1Database,
  decisions: readonly Decision[],
  now: number,
  timings: Timings,
): Promise<PendingDoorbell[]> {
  const statements = [
    insertConversations(db, decisions, now),
    ...runs(decisions).flatMap((run) => runStatements(db, run, now, timings)),
    ...settle(db, decisions, now),
  ];
  const results = await db.batch(statements);
  return results.flatMap((result) => doorbellsOf(result));
}

const isCommand = ({ kind }: Decision) => !["message", "reply", "ignore", "park"].includes(kind);

/** Splits where order matters: a command comes after what was said before it and before what was said after. */
function runs(decisions: readonly Decision[]): Decision[][] {
  const all: Decision[][] = [];
  for (const decision of decisions) {
    const run = all.at(-1);
    if (run?.[0] !== undefined && isCommand(run[0]) === isCommand(decision)) run.push(decision);
    else all.push([decision]);
  }
  return all;
}

function runStatements(
  db: D1Database,
  run: readonly Decision[],
  now: number,
  timings: Timings,
): D1PreparedStatement[] {
  const of = <Kind extends Decision["kind"]>(kind: Kind) =>
    run.filter((decision): decision is DecisionOf<Kind> => decision.kind === kind);
  const messages = of("message");
  const replies = of("reply");
  return [
    ...(messages.length > 0 ? messageStatements(db, messages, now, timings) : []),
    ...(replies.length > 0 ? replyStatements(db, replies, now, timings) : []),
    ...run.flatMap((decision) => {
      if (decision.kind === "stop") return stopOrSaySo(db, decision, now, timings);
      if (decision.kind === "button") return pressButton(db, decision, now, timings);
      if (decision.kind === "move")
        return followGroup(db, newcomerOf(decision, decision.from), decision.to, now);
      if (decision.kind === "edit") return [editUnread(db, decision)];
      if (decision.kind === "introduce") {
        const stranger = newcomerOf(decision, decision.personId);
        return introduce(
          db,
          { ...stranger, ...decision, conversationId: decision.inbound.conversation_id },
          now,
          timings,
        );
      }
      if (decision.kind === "admit") {
        const group = newcomerOf(decision, decision.groupId);
        return [...admitGroup(db, group, decision.by, now), ...replyStatements(db, [decision], now, timings)];
      }
      return decision.kind === "new" ? forget(db, decision, now, timings) : [];
    }),
  ];
}

function insertConversations(
  db: D1Database,
  decisions: readonly Decision[],
  now: number,
): D1PreparedStatement {
  const conversations = decisions.flatMap((decision) =>
    "address" in decision
      ? [
          {
            id: decision.inbound.conversation_id,
            tenant: decision.inbound.tenant_id,
            channel: decision.channel,
            address: decision.address,
          },
        ]
      : [],
  );
  return db
    .prepare(
      `INSERT INTO conversations (id, tenant_id, channel, address, created_at)
       SELECT value->>'id', value->>'tenant', value->>'channel', value->>'address', ?2 FROM json_each(?1) WHERE true
       ON CONFLICT DO NOTHING`,
    )
    .bind(JSON.stringify(conversations), now);
}

function messageStatements(
  db: D1Database,
  messages: readonly DecisionOf<"message">[],
  now: number,
  timings: Timings,
): D1PreparedStatement[] {
  const rows = messages.map(({ inbound, messageId, externalId, content }) => ({
    id: messageId,
    external: externalId,
    inbound: inbound.id,
    conversation: inbound.conversation_id,
    content: JSON.stringify(content),
    at: inbound.received_at,
  }));
  const conversations = [...new Set(messages.map(({ inbound }) => inbound.conversation_id))];
  return [
    db
      .prepare(
        `INSERT INTO messages (id, conversation_id, content, external_id, created_at)
         SELECT value->>'id', value->>'conversation', value->>'content', value->>'external', value->>'at' FROM json_each(?)
         WHERE EXISTS (SELECT 1 FROM inbound WHERE id = value->>'inbound' AND state = 'new')
         ORDER BY key ON CONFLICT DO NOTHING`,
      )
      .bind(JSON.stringify(rows)),
    ...Object.values(startStatements(db, conversationsIn(conversations), now, timings)),
  ];
}

const newcomerOf = (
  { inbound, channel }: DecisionOf<"introduce"> | DecisionOf<"admit"> | DecisionOf<"move">,
  externalId: string,
) => ({
  inboundId: inbound.id,
  tenantId: inbound.tenant_id,
  channel,
  externalId,
});

function editUnread(
  db: D1Database,
  { inbound, externalId, content }: DecisionOf<"edit">,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE messages SET content = ?3 WHERE conversation_id = ?1 AND turn_id IS NULL AND external_id = ?2
       AND EXISTS (SELECT 1 FROM inbound WHERE id = ?4 AND state = 'new')`,
    )
    .bind(inbound.conversation_id, externalId, JSON.stringify(content), inbound.id);
}

function replyStatements(
  db: D1Database,
  replies: readonly Pick<DecisionOf<"reply">, "inbound" | "text">[],
  now: number,
  timings: Timings,
): D1PreparedStatement[] {
  const rows = JSON.stringify(
    replies.map(({ inbound, text }) => ({
      id: inbound.id,
      tenant: inbound.tenant_id,
      conversation: inbound.conversation_id,
      text,
    })),
  );
  return [
    db
      .prepare(
        `INSERT INTO replies (id, tenant_id, conversation_id, text, final, created_at)
         SELECT value->>'id', value->>'tenant', value->>'conversation', value->>'text', 1, ?2 FROM json_each(?1) WHERE true
         ON CONFLICT DO NOTHING`,
      )
      .bind(rows, now),
    db
      .prepare(
        `INSERT INTO outbox (queue, key, ring_at)
         SELECT 'replies', id, ?2 FROM replies WHERE id IN (SELECT value->>'id' FROM json_each(?1)) AND state = 'open'
         ON CONFLICT DO NOTHING RETURNING queue, key`,
      )
      .bind(rows, now + timings.doorbell_grace_ms),
  ];
}

function forget(
  db: D1Database,
  decision: DecisionOf<"new">,
  now: number,
  timings: Timings,
): D1PreparedStatement[] {
  const { inbound } = decision;
  return [
    db
      .prepare(
        `UPDATE conversations SET epoch = COALESCE((SELECT MAX(seq) FROM messages WHERE conversation_id = ?1), 0)
         WHERE id = ?1 AND EXISTS (SELECT 1 FROM inbound WHERE id = ?2 AND state = 'new')`,
      )
      .bind(inbound.conversation_id, inbound.id),
    ...replyStatements(db, [decision], now, timings),
  ];
}

const stateAfter = (decision: Decision) =>
  decision.kind === "ignore" ? "ignored" : decision.kind === "park" ? "parked" : "handled";

/** Marks every inbound by its outcome, and deletes or parks its doorbell. */
function settle(db: D1Database, decisions: readonly Decision[], now: number): D1PreparedStatement[] {
  const rows = JSON.stringify(
    decisions.map((decision) => ({
      id: decision.inbound.id,
      version: decision.inbound.version,
      state: stateAfter(decision),
      note: "reason" in decision ? decision.reason : null,
    })),
  );
  return [
    db
      .prepare(
        `UPDATE inbound SET state = d.value->>'state', note = d.value->>'note' FROM json_each(?) d
         WHERE inbound.id = d.value->>'id' AND inbound.state = 'new'`,
      )
      .bind(rows),
    db
      .prepare(
        `UPDATE outbox SET parked_reason = d.value->>'note', parked_at = ?2 FROM json_each(?1) d
         WHERE outbox.queue = 'inbound' AND outbox.key = d.value->>'id' AND d.value->>'state' = 'parked'`,
      )
      .bind(rows, now),
    db
      .prepare(
        `DELETE FROM outbox WHERE queue = 'inbound' AND parked_reason IS NULL AND (key, version) IN (
           SELECT value->>'id', value->>'version' FROM json_each(?))`,
      )
      .bind(rows),
  ];
}
