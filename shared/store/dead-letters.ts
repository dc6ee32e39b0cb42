/** The dead-letter desk: what was put aside, whole, for somebody of its tenant to replay or to discard. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import type { Doorbell } from "../contracts/doorbell.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { Batch } from "./batch.ts";
import { type Found, readList, type Outcome, readOutcome, type Refused } from "./outcome.ts";
import type { AcceptedInbound } from "./receive.ts";
import { type Caller, findKey, selectTenant } from "./statements/guards.ts";

const DeadLetter = z.object({
  queue: z.enum(["inbound", "tasks", "replies", "unreadable"]),
  key: z.string(),
  reason: z.string(),
  parked_at: z.int(),
  rings: z.int(),
});
const WholeDeadLetter = z.extend(DeadLetter, {
  channel: z.nullable(z.string()),
  raw: z.union([z.string(), z.array(z.int()), z.null()]),
});
export type DeadLetter = z.infer<typeof DeadLetter>;
export type WholeDeadLetter = z.infer<typeof WholeDeadLetter>;

/** What nobody can assign to a tenant is the default tenant's to look at. */
function isOf(caller: Caller): Sql {
  return sql`COALESCE(
    (SELECT tenant_id FROM inbound WHERE o.queue = 'inbound' AND id = o.key),
    (SELECT tenant_id FROM tasks WHERE o.queue = 'tasks' AND id = o.key),
    (SELECT tenant_id FROM replies WHERE o.queue = 'replies' AND id = o.key), 'default'
  ) = ${selectTenant(caller)}`;
}

const COLUMNS = sql`o.queue, o.key, o.parked_reason AS reason, o.parked_at, o.rings`;

/** Every parked doorbell, the oldest first, up to a page. */
export async function listDeadLetters(
  db: D1Database,
  caller: Caller,
): Promise<Found<DeadLetter[]> | Refused> {
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "letters",
      sql`SELECT ${COLUMNS} FROM outbox o WHERE o.parked_reason IS NOT NULL AND o.parked_at > 0 AND ${isOf(caller)}
        ORDER BY o.parked_at LIMIT ${LIMITS.dead_letters_page_max}`,
    )
    .run(db);
  return readList(results, "letters", DeadLetter);
}

/** One parked doorbell with the bytes it stands for. */
export async function readDeadLetter(
  db: D1Database,
  caller: Caller,
  { queue, key }: { queue: string; key: string },
): Promise<Outcome<WholeDeadLetter>> {
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "letter",
      sql`SELECT ${COLUMNS}, i.channel, COALESCE(o.parked_body, i.raw) AS raw FROM outbox o
        LEFT JOIN inbound i ON o.queue = 'inbound' AND i.id = o.key
        WHERE o.queue = ${queue} AND o.key = ${key} AND o.parked_reason IS NOT NULL AND ${isOf(caller)}`,
    )
    .run(db);
  return readOutcome(results, "letter", WholeDeadLetter);
}

/** Puts a parked doorbell back to work, with what a better receiver now reads in it. */
export async function unpark(
  db: D1Database,
  { queue, key }: Doorbell,
  reread: Pick<AcceptedInbound, "event" | "conversationId"> | null,
  now: number,
  timings: Timings,
): Promise<void> {
  const batch = new Batch();
  if (queue === "inbound") {
    const event = reread?.event ? JSON.stringify(reread.event) : null;
    const conversationId = reread?.conversationId ?? null;
    batch.add(
      "inbound",
      sql`UPDATE inbound SET state = 'new', note = NULL, event = COALESCE(${event}, event),
          conversation_id = COALESCE(${conversationId}, conversation_id)
        WHERE id = ${key} AND state = 'parked'`,
    );
  }
  await batch
    .add(
      "doorbell",
      sql`UPDATE outbox SET parked_reason = NULL, parked_at = NULL, rings = 0, version = version + 1,
          ring_at = ${now + timings.doorbell_grace_ms}
        WHERE queue = ${queue} AND key = ${key}`,
    )
    .run(db);
}

/** Gives a parked doorbell up for good. */
export async function discard(
  db: D1Database,
  { queue, key }: { queue: string; key: string },
  now: number,
): Promise<void> {
  const batch = new Batch();
  if (queue === "inbound")
    batch.add(
      "inbound",
      sql`UPDATE inbound SET state = 'ignored', note = ${`discarded at ${now}`} WHERE id = ${key} AND state = 'parked'`,
    );
  await batch
    .add(
      "doorbell",
      sql`DELETE FROM outbox WHERE queue = ${queue} AND key = ${key} AND parked_reason IS NOT NULL`,
    )
    .run(db);
}
