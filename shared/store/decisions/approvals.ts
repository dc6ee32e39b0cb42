/** What people decide in a chat about what a call waits for: by a button, a command, or a message. What came of it is said in the batch that does it. */
import sql, { type Sql } from "sql-template-tag";
import type { Timings } from "../../limits.ts";
import type { Batch } from "../batch.ts";
import type { DecisionOf } from "../decision.ts";
import { addDecision, decidedBy } from "../statements/approvals.ts";
import { ringNew } from "../statements/doorbells.ts";
import { ACTIVE, inboundNew } from "../statements/guards.ts";

type Deciding = DecisionOf<"decide"> | DecisionOf<"respond">;

/** The approval that is meant, as SQL. In a group others may decide, too: whose conversation it is does not matter where the chat is named. */
function selectTarget(decision: Deciding): Sql {
  const { inbound, address, target } = decision;
  if (target === "only")
    return sql`SELECT a.id FROM approvals a WHERE a.conversation_id = ${inbound.conversation_id} AND ${isOfKind(decision)}
      ORDER BY a.state = 'open' DESC, a.requested_at DESC LIMIT 1`;
  const first = "id" in target ? target.id : target.prefix;
  const last = "id" in target ? target.id : `${target.prefix}~`;
  return sql`SELECT a.id FROM approvals a JOIN conversations c ON c.id = a.conversation_id
    WHERE a.id BETWEEN ${first} AND ${last} AND a.tenant_id = ${inbound.tenant_id} AND c.address = ${address} LIMIT 1`;
}

/** Of several that are open in the conversation nobody knows which is meant, where none is named. */
function isClear(decision: Deciding): Sql {
  if (decision.target !== "only") return sql`true`;
  return sql`(SELECT COUNT(*) FROM approvals o WHERE o.conversation_id = ${decision.inbound.conversation_id} AND o.state = 'open'
    AND ${isOfKind(decision)}) < 2`;
}

/** As SQL over `approvals`: admins decide everything; whoever a task is for answers its questions, and its approvals unless only admins do. What is spent beyond a cap only admins allow. */
function mayDecide({ by, isAdmin }: Pick<Deciding, "by" | "isAdmin">): Sql {
  return sql`(${isAdmin ? 1 : 0} OR EXISTS (SELECT 1 FROM tasks t LEFT JOIN tenants n ON n.id = t.tenant_id
    WHERE t.id = approvals.task_id AND t.sender = ${by}
      AND (approvals.kind = 'question' OR (approvals.allows IS NULL AND COALESCE(n.policy->>'approvers', 'person') = 'person'))))`;
}

/** A question is answered, and an approval approved or denied: nothing else is. */
function isOfKind({ verdict }: Deciding): Sql {
  return verdict.state === "answered" ? sql`kind = 'question'` : sql`kind = 'approval'`;
}

function add(batch: Batch, decision: Deciding, now: number, timings: Timings): Batch {
  const { inbound, verdict, by, outcome } = decision;
  const answer =
    verdict.state === "answered" && "choice" in verdict
      ? sql`(choices->>${`$[${verdict.choice}]`})`
      : sql`${"text" in verdict ? verdict.text : null}`;
  const isAnswerable = verdict.state === "answered" ? sql`${answer} IS NOT NULL` : sql`true`;
  return addDecision(
    batch,
    {
      id: selectTarget(decision),
      state: verdict.state,
      by,
      key: inbound.id,
      reason: answer,
      outcome,
      only: sql`expires_at > ${now} AND ${isClear(decision)} AND ${isOfKind(decision)} AND ${isAnswerable} AND ${mayDecide(decision)} AND ${inboundNew(inbound.id)}`,
    },
    now,
    timings,
  );
}

const NOTHING = "There is nothing to decide here.";
const NOT_YOURS = "You may not decide this.";
const WHICH = "Several wait for you: name one by its id, as it is shown.";
const OVER = "Its task has ended.";

/** By a button or a command: whoever did it is told what came of it, or what was decided before. */
export function addDecide(batch: Batch, decision: DecisionOf<"decide">, now: number, timings: Timings): void {
  const { inbound, callbackId, externalId, doneText } = decision;
  const said = sql`CASE WHEN ${decidedBy(inbound.id)} THEN ${doneText} ELSE COALESCE((
      SELECT CASE WHEN state = 'dropped' THEN ${OVER} WHEN state <> 'open' THEN 'It was ' || state || ' already.'
        WHEN NOT ${isClear(decision)} THEN ${WHICH}
        WHEN NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = approvals.task_id AND t.${ACTIVE}) THEN ${OVER} WHEN expires_at <= ${now} THEN 'It is too late: nobody decided in time.' WHEN NOT ${isOfKind(decision)} THEN ${NOTHING}
        ELSE ${NOT_YOURS} END
      FROM approvals WHERE id = (${selectTarget(decision)})), ${NOTHING}) END`;
  add(batch, decision, now, timings)
    .add(
      "said",
      sql`INSERT INTO replies (id, tenant_id, conversation_id, text, final, callback_id, answers_id, created_at)
        SELECT id, tenant_id, conversation_id, ${said}, 1, ${callbackId}, ${externalId}, received_at
        FROM inbound WHERE id = ${inbound.id} AND state = 'new' ON CONFLICT DO NOTHING`,
    )
    .addRinging(
      "ring said",
      ringNew(
        "replies",
        sql`SELECT id AS key FROM replies WHERE id = ${inbound.id} AND state = 'open'`,
        now + timings.doorbell_grace_ms,
      ),
    );
}

/** By a message: what asked shows it. If somebody else was faster, it is a message as any other (`addMessages` sees to that). */
export function addRespond(
  batch: Batch,
  decision: DecisionOf<"respond">,
  now: number,
  timings: Timings,
): void {
  add(batch, decision, now, timings);
}
