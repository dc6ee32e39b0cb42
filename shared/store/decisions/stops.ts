/** Stopping a task from a chat: by a command or by a button. What comes of it is said in the batch that does it. */
import sql from "sql-template-tag";
import type { Timings } from "../../limits.ts";
import type { Batch } from "../batch.ts";
import type { DecisionOf } from "../decision.ts";
import { ringNew } from "../statements/doorbells.ts";
import { inboundNew } from "../statements/guards.ts";
import { addStopTask, stoppedTask } from "../statements/stop-task.ts";

function makeStop(decision: DecisionOf<"stop"> | DecisionOf<"press">) {
  const { inbound, taskIdPrefix, text, unreadText } = decision;
  const origin = { conversationId: inbound.conversation_id, endedBy: `stop:${inbound.id}` };
  return { ...origin, taskIdPrefix, text, unreadText, only: inboundNew(inbound.id) };
}

/** A stop has one answer: the stopped task's own, or, when nothing ran, one that says so. */
export function addStop(batch: Batch, decision: DecisionOf<"stop">, now: number, timings: Timings): void {
  const { inbound, externalId, idleText } = decision;
  const stop = makeStop(decision);
  const idle = sql`NOT EXISTS (${stoppedTask(stop)}) AND ${inboundNew(inbound.id)}`;
  addStopTask(batch, "stop", stop, now, timings)
    .add(
      "idle",
      sql`INSERT INTO replies (id, tenant_id, conversation_id, text, final, answers_id, created_at)
        SELECT ${inbound.id}, ${inbound.tenant_id}, ${inbound.conversation_id}, ${idleText}, 1, ${externalId}, ${now} WHERE ${idle}
        ON CONFLICT DO NOTHING`,
    )
    .addRinging(
      "ring idle",
      ringNew(
        "replies",
        sql`SELECT id AS key FROM replies WHERE id = ${inbound.id} AND state = 'open' AND ${idle}`,
        now + timings.doorbell_grace_ms,
      ),
    );
}

/** A button always has an answer of its own, beside that of the task which it stops. */
export function addPress(batch: Batch, decision: DecisionOf<"press">, now: number, timings: Timings): void {
  const { inbound, callbackId, doneText, idleText } = decision;
  const stop = makeStop(decision);
  addStopTask(batch, "stop", stop, now, timings)
    .add(
      "pressed",
      sql`INSERT INTO replies (id, tenant_id, conversation_id, text, final, callback_id, created_at)
        SELECT id, tenant_id, conversation_id, CASE WHEN EXISTS (${stoppedTask(stop)}) THEN ${doneText} ELSE ${idleText} END,
          1, ${callbackId}, received_at
        FROM inbound WHERE id = ${inbound.id} AND state = 'new' ON CONFLICT DO NOTHING`,
    )
    .addRinging(
      "ring pressed",
      ringNew(
        "replies",
        sql`SELECT id AS key FROM replies WHERE id = ${inbound.id} AND state = 'open'`,
        now + timings.doorbell_grace_ms,
      ),
    );
}
