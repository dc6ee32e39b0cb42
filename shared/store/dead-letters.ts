/** The dead-letter desk: what was put aside, whole, for somebody of its tenant to replay or to discard. */
import * as z from "zod/mini";
import type { Doorbell, PendingDoorbell } from "../contracts/doorbell.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { apologyStatements } from "./apologies.ts";
import { runBatch } from "./batch.ts";
import { endStatements } from "./end.ts";
import type { AcceptedInbound } from "./inbound.ts";
import { doorbellsOf, parkStatements } from "./outbox.ts";
import { type Found, listOf, type Outcome, outcomeOf, type Unauthorized } from "./outcome.ts";

const Row = z.object({
  queue: z.enum(["inbound", "tasks", "replies", "unreadable"]),
  key: z.string(),
  reason: z.string(),
  parked_at: z.int(),
  rings: z.int(),
});
const WholeRow = z.extend(Row, {
  channel: z.nullable(z.string()),
  raw: z.union([z.string(), z.array(z.int()), z.null()]),
});
export type DeadLetter = z.infer<typeof Row>;
export type WholeDeadLetter = z.infer<typeof WholeRow>;

/** What nobody can assign to a tenant is the default tenant's to look at. */
const MINE = `COALESCE(
    (SELECT tenant_id FROM inbound WHERE o.queue = 'inbound' AND id = o.key),
    (SELECT tenant_id FROM tasks WHERE o.queue = 'tasks' AND id = o.key),
    (SELECT tenant_id FROM replies WHERE o.queue = 'replies' AND id = o.key), 'default'
  ) = (SELECT tenant_id FROM api_keys WHERE hash = ?1)`;

const COLUMNS = "o.queue, o.key, o.parked_reason AS reason, o.parked_at, o.rings";

/** Every parked doorbell, the oldest first, up to a page. */
export async function listDeadLetters(
  db: D1Database,
  keyHash: string,
): Promise<Found<DeadLetter[]> | Unauthorized> {
  const results = await runBatch(db, {
    key: db.prepare("SELECT 1 FROM api_keys WHERE hash = ?").bind(keyHash),
    letters: db
      .prepare(
        `SELECT ${COLUMNS} FROM outbox o WHERE o.parked_reason IS NOT NULL AND o.parked_at > 0 AND ${MINE}
         ORDER BY o.parked_at LIMIT ?2`,
      )
      .bind(keyHash, LIMITS.dead_letters_page_max),
  });
  return listOf(results("key"), results("letters"), Row);
}

/** One parked doorbell with the bytes it stands for. */
export async function readDeadLetter(
  db: D1Database,
  keyHash: string,
  { queue, key }: { queue: string; key: string },
): Promise<Outcome<WholeDeadLetter>> {
  const results = await runBatch(db, {
    key: db.prepare("SELECT 1 FROM api_keys WHERE hash = ?").bind(keyHash),
    letter: db
      .prepare(
        `SELECT ${COLUMNS}, i.channel, COALESCE(o.parked_body, i.raw) AS raw FROM outbox o
         LEFT JOIN inbound i ON o.queue = 'inbound' AND i.id = o.key
         WHERE o.queue = ?2 AND o.key = ?3 AND o.parked_reason IS NOT NULL AND ${MINE}`,
      )
      .bind(keyHash, queue, key),
  });
  return outcomeOf(results("key"), results("letter"), WholeRow);
}

/**
 * Puts aside what no consumer could handle and tells whoever waits for it, in one batch: a parked doorbell that nobody
 * was told of would be silence. A reply that could not be sent has nobody left to tell. Done again, it changes nothing more.
 */
export async function parkAndTell(
  db: D1Database,
  doorbell: Doorbell,
  { reason, text }: { reason: string; text: string },
  now: number,
  timings: Timings,
): Promise<{ parked: boolean; doorbells: PendingDoorbell[] }> {
  const { queue, key } = doorbell;
  const end = { taskId: key, state: "failed" as const, endedBy: "dead-letter", answer: { text } };
  // First, for the end of a task deletes its doorbell, and this one is to stay on the desk.
  const parking = parkStatements(db, doorbell, reason, now);
  const results = await runBatch<Record<string, D1PreparedStatement>>(db, {
    ...parking,
    ...(queue === "inbound" && apologyStatements(db, key, text, now, timings)),
    ...(queue === "tasks" && endStatements(db, end, now, timings)),
  });
  const rung = queue === "replies" ? [] : queue === "tasks" ? ["ring", "doorbells"] : ["ring"];
  return {
    parked: results("park").meta.changes === 1,
    doorbells: rung.flatMap((name) => doorbellsOf(results(name))),
  };
}

/** Puts a parked doorbell back to work, with what a better reader now understands of it. */
export async function unpark(
  db: D1Database,
  { queue, key }: Doorbell,
  reread: Pick<AcceptedInbound, "event" | "conversationId"> | null,
  now: number,
  timings: Timings,
): Promise<void> {
  await runBatch(db, {
    inbound: db
      .prepare(
        `UPDATE inbound SET state = 'new', note = NULL, event = COALESCE(?2, event), conversation_id = COALESCE(?3, conversation_id)
         WHERE id = ?1 AND state = 'parked'`,
      )
      .bind(
        queue === "inbound" ? key : "",
        reread?.event ? JSON.stringify(reread.event) : null,
        reread?.conversationId ?? null,
      ),
    doorbell: db
      .prepare(
        `UPDATE outbox SET parked_reason = NULL, parked_at = NULL, rings = 0, version = version + 1, ring_at = ?3
         WHERE queue = ?1 AND key = ?2`,
      )
      .bind(queue, key, now + timings.doorbell_grace_ms),
  });
}

/** Gives a parked doorbell up for good. */
export async function discard(
  db: D1Database,
  { queue, key }: { queue: string; key: string },
  now: number,
): Promise<void> {
  await runBatch(db, {
    inbound: db
      .prepare(
        "UPDATE inbound SET state = 'ignored', note = 'discarded at ' || ?2 WHERE id = ?1 AND state = 'parked'",
      )
      .bind(queue === "inbound" ? key : "", now),
    doorbell: db
      .prepare("DELETE FROM outbox WHERE queue = ? AND key = ? AND parked_reason IS NOT NULL")
      .bind(queue, key),
  });
}
