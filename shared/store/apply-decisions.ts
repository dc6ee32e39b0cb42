/** The one batch by which triage carries out what it decided, for a whole queue batch at once. */
import sql from "sql-template-tag";
import type { PendingDoorbell } from "../contracts/doorbell.ts";
import type { Timings } from "../limits.ts";
import { Batch } from "./batch.ts";
import type { Decision, DecisionOf } from "./decision.ts";
import { addDecide, addRespond } from "./decisions/approvals.ts";
import { addEdit, addForgetting, addMessages } from "./decisions/messages.ts";
import { addCode, addGroup, addMigratedGroup, addPromotion } from "./decisions/people.ts";
import { addReplies } from "./decisions/replies.ts";
import { addPress, addStop } from "./decisions/stops.ts";

/**
 * Carries the decisions out in their order. What is said in between commands is written set-wise, so a batch of a hundred
 * messages takes the statements of one. Returns the doorbells to ring.
 */
export async function applyDecisions(
  db: D1Database,
  decisions: readonly Decision[],
  now: number,
  timings: Timings,
): Promise<PendingDoorbell[]> {
  const batch = new Batch();
  addConversations(batch, decisions, now);
  for (const [index, run] of splitIntoRuns(decisions).entries())
    addRun(batch.within(`run ${index}`), run, now, timings);
  addOutcomes(batch, decisions, now);
  return (await batch.run(db)).doorbells();
}

const isSaid = ({ kind }: Decision) => ["message", "reply", "ignore", "park"].includes(kind);

/** Splits where order matters: a command comes after what was said before it and before what was said after. */
function splitIntoRuns(decisions: readonly Decision[]): Decision[][] {
  const runs: Decision[][] = [];
  for (const decision of decisions) {
    const run = runs.at(-1);
    if (run?.[0] !== undefined && isSaid(run[0]) && isSaid(decision)) run.push(decision);
    else runs.push([decision]);
  }
  return runs;
}

function addRun(batch: Batch, run: readonly Decision[], now: number, timings: Timings): void {
  const of = <Kind extends Decision["kind"]>(kind: Kind) =>
    run.filter((decision): decision is DecisionOf<Kind> => decision.kind === kind);
  const messages = of("message");
  const replies = of("reply");
  if (messages.length > 0) addMessages(batch, messages, now, timings);
  if (replies.length > 0) addReplies(batch, replies, now, timings);
  for (const decision of run) addCommand(batch, decision, now, timings);
}

/** A decision that is a run of its own; of the others there is nothing more to write. */
function addCommand(batch: Batch, decision: Decision, now: number, timings: Timings): void {
  switch (decision.kind) {
    case "respond":
      addRespond(batch, decision, now, timings);
      return addMessages(batch, [decision], now, timings);
    case "decide":
      return addDecide(batch, decision, now, timings);
    case "stop":
      return addStop(batch, decision, now, timings);
    case "press":
      return addPress(batch, decision, now, timings);
    case "edit":
      return addEdit(batch, decision);
    case "forget":
      addForgetting(batch, decision);
      return addReplies(batch, [decision], now, timings);
    case "issue_code":
      return addCode(batch, decision, now, timings);
    case "admit_group":
      addGroup(batch, decision, now);
      return addReplies(batch, [decision], now, timings);
    case "promote":
      addPromotion(batch, decision, now);
      return addReplies(batch, [decision], now, timings);
    case "migrate_group":
      return addMigratedGroup(batch, decision, now);
    case "message":
    case "reply":
    case "ignore":
    case "park":
      return undefined;
  }
}

function addConversations(batch: Batch, decisions: readonly Decision[], now: number): void {
  const rows = decisions.flatMap((decision) => {
    if (!("address" in decision)) return [];
    const { inbound, channel, address } = decision;
    return [{ id: inbound.conversation_id, tenant: inbound.tenant_id, channel, address }];
  });
  batch.add(
    "conversations",
    sql`INSERT INTO conversations (id, tenant_id, channel, address, created_at)
      SELECT value->>'id', value->>'tenant', value->>'channel', value->>'address', ${now}
      FROM json_each(${JSON.stringify(rows)}) WHERE true ON CONFLICT DO NOTHING`,
  );
}

function stateAfter({ kind }: Decision): string {
  if (kind === "ignore") return "ignored";
  return kind === "park" ? "parked" : "handled";
}

/** Marks every inbound by its outcome, and deletes or parks its doorbell. */
function addOutcomes(batch: Batch, decisions: readonly Decision[], now: number): void {
  const rows = JSON.stringify(
    decisions.map((decision) => ({
      id: decision.inbound.id,
      version: decision.inbound.version,
      state: stateAfter(decision),
      note: "reason" in decision ? decision.reason : null,
    })),
  );
  batch.add(
    "outcomes",
    sql`UPDATE inbound SET state = d.value->>'state', note = d.value->>'note' FROM json_each(${rows}) d
      WHERE inbound.id = d.value->>'id' AND inbound.state = 'new'`,
  );
  if (decisions.some(({ kind }) => kind === "park"))
    batch.add(
      "parked",
      sql`UPDATE outbox SET parked_reason = d.value->>'note', parked_at = ${now} FROM json_each(${rows}) d
        WHERE outbox.queue = 'inbound' AND outbox.key = d.value->>'id' AND d.value->>'state' = 'parked'`,
    );
  batch.add(
    "done",
    sql`DELETE FROM outbox WHERE queue = 'inbound' AND parked_reason IS NULL AND (key, version) IN (
      SELECT value->>'id', value->>'version' FROM json_each(${rows}))`,
  );
}
