/**
 * Reserving what a model call may cost, before it is made: whoever finds no room makes none. Of many that ask at the same time D1 lets as
 * many through as there is room for.
 */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { dayOf, type HeldCap, toMicroUsd } from "../policy/caps.ts";
import { Batch } from "./batch.ts";
import { ATTEMPT_CHARS } from "./narrate.ts";
import { claimHeld, type TurnClaim } from "./statements/guards.ts";
import { addRecount, addSettle, EVERYBODY, type Spent } from "./statements/spending.ts";

export interface Reservation extends TurnClaim {
  /** Estimated: what it reads. */
  readonly tokensIn: number;
  /** What it may write: at least so much, or it is not made; and at most. */
  readonly tokensOutMin: number;
  readonly tokensOutMax: number;
  /** Micro-dollars a token; 0 where nobody told the price. */
  readonly price: { readonly input: number; readonly output: number };
  readonly caps: { readonly task: HeldCap; readonly sender: HeldCap; readonly tenant: HeldCap };
  /** Nobody hears of it after that. */
  readonly until: number;
}

const Room = z.object({
  scope: z.enum(["task", "sender", "tenant"]),
  tokens: z.int(),
  micro_usd: z.int(),
  tokens_max: z.int(),
  micro_usd_max: z.int(),
  /** Of what is counted: of calls under way. They may cost less. */
  tokens_held: z.int(),
  micro_usd_held: z.int(),
});
export type Room = z.infer<typeof Room>;

export type Reserved =
  | { kind: "reserved"; tokensOut: number }
  /** There is no room. The turn may be somebody else's by now as well. */
  | { kind: "full"; rooms: readonly Room[] };

/** Whose spending a task's is. Tasks of versions before may have no sender. */
const SENDER = sql`COALESCE(t.sender, 'unknown')`;

/** What is counted in a day: by a sender, or by everybody. */
function selectDay(scope: "sender" | "tenant", cap: HeldCap, taskId: string, day: number): Sql {
  const sender = scope === "tenant" ? sql`${EVERYBODY}` : SENDER;
  const isTheirs = scope === "tenant" ? sql`true` : sql`r.sender = ${SENDER}`;
  const held = sql`FROM reservations r WHERE r.tenant_id = t.tenant_id AND r.is_lost = 0 AND r.day = ${day} AND ${isTheirs}`;
  return sql`SELECT ${scope} AS scope, COALESCE(s.tokens, 0) AS tokens, COALESCE(s.micro_usd, 0) AS micro_usd,
      ${cap.tokens} AS tokens_max, ${toMicroUsd(cap.usd)} AS micro_usd_max,
      (SELECT COALESCE(SUM(r.tokens), 0) ${held}) AS tokens_held, (SELECT COALESCE(SUM(r.micro_usd), 0) ${held}) AS micro_usd_held
    FROM tasks t LEFT JOIN spending s ON s.tenant_id = t.tenant_id AND s.sender = ${sender} AND s.day = ${day} WHERE t.id = ${taskId}`;
}

/** The caps that hold for a task, and what is counted of them. Of its own there is one at a time: what is held is of a planner that was lost. */
const selectRooms = ({ taskId, caps }: Reservation, day: number): Sql =>
  sql`SELECT 'task' AS scope, spent_tokens AS tokens, spent_micro_usd AS micro_usd, ${caps.task.tokens} AS tokens_max,
      ${toMicroUsd(caps.task.usd)} AS micro_usd_max,
      (SELECT COALESCE(SUM(tokens), 0) FROM reservations WHERE task_id = ${taskId} AND is_lost = 0) AS tokens_held,
      (SELECT COALESCE(SUM(micro_usd), 0) FROM reservations WHERE task_id = ${taskId} AND is_lost = 0) AS micro_usd_held
    FROM tasks WHERE id = ${taskId}
    UNION ALL ${selectDay("sender", caps.sender, taskId, day)}
    UNION ALL ${selectDay("tenant", caps.tenant, taskId, day)}`;

/** What is left, as one row: of the cap that is the nearest, or of what somebody has allowed this task beyond its caps. */
const selectLeft = (reservation: Reservation, day: number): Sql => {
  const allowed = (what: "tokens" | "micro_usd") =>
    sql`COALESCE((SELECT MAX(a.allows->>${`$.${what}`}) FROM approvals a WHERE a.task_id = ${reservation.taskId} AND a.state = 'approved'), 0)`;
  const spent = (column: Sql) => sql`(SELECT ${column} FROM tasks WHERE id = ${reservation.taskId})`;
  return sql`SELECT MAX(MIN(tokens_max - tokens), ${allowed("tokens")} - ${spent(sql`spent_tokens`)}) AS tokens,
      MAX(MIN(micro_usd_max - micro_usd), ${allowed("micro_usd")} - ${spent(sql`spent_micro_usd`)}) AS micro_usd
    FROM (${selectRooms(reservation, day)})`;
};

/** What it may write is lowered to what there is room for. */
export async function reserve(db: D1Database, reservation: Reservation, now: number): Promise<Reserved> {
  const { taskId, claim, tokensIn, tokensOutMin, tokensOutMax, price, until } = reservation;
  const day = dayOf(now);
  const costOf = (tokensOut: Sql) =>
    sql`CAST(ROUND(${tokensIn * price.input} + ${tokensOut} * ${price.output}) AS INTEGER)`;
  const affordable =
    price.output === 0
      ? sql`${tokensOutMax}`
      : sql`CAST((micro_usd - ${tokensIn * price.input}) / ${price.output} AS INTEGER)`;
  const results = await addRecount(
    new Batch().add(
      "reserve",
      sql`INSERT INTO reservations (claim, task_id, tenant_id, sender, day, tokens, micro_usd, read_tokens, input_micro_usd, output_micro_usd, until)
        SELECT ${claim}, t.id, t.tenant_id, ${SENDER}, ${day}, ${tokensIn} + room.out, ${costOf(sql`room.out`)},
          ${tokensIn}, ${price.input}, ${price.output}, ${until}
        FROM tasks t, (SELECT MIN(${tokensOutMax}, tokens - ${tokensIn}, ${affordable}) AS out FROM (${selectLeft(reservation, day)})) room
        WHERE t.id = ${taskId} AND room.out >= ${tokensOutMin} AND ${claimHeld(reservation)}`,
    ),
    sql`r.claim = ${claim}`,
    { tokens: sql`r.tokens`, microUsd: sql`r.micro_usd` },
  )
    .add("reserved", sql`SELECT tokens FROM reservations WHERE claim = ${claim}`)
    .add("rooms", selectRooms(reservation, day))
    .run(db);
  const reserved = results.row("reserved", z.object({ tokens: z.int() }));
  return reserved === undefined
    ? { kind: "full", rooms: results.rows("rooms", Room) }
    : { kind: "reserved", tokensOut: reserved.tokens - tokensIn };
}

/** Nothing of the turn was stored, but its call has cost something. */
export async function settle(db: D1Database, claim: string, spent: Spent): Promise<void> {
  await addSettle(new Batch(), claim, spent).run(db);
}

/** Of what a model was heard to say: in UTF-16 units, for each token. */
const UNITS_PER_TOKEN = 3;

/** What of a call's answer was passed on, in tokens: SQL over `reservations r`. */
const HEARD = sql`CAST(COALESCE((SELECT SUM(LENGTH(e.data->>'text')) / ${UNITS_PER_TOKEN} FROM events e
  WHERE e.task_id = r.task_id AND e.type = 'text' AND e.attempt = substr(r.claim, 1, ${ATTEMPT_CHARS})), 0) AS INTEGER)`;

/**
 * Calls of whose end nobody will hear any more have cost what they read, and what was heard of them: those whose time is over, or those
 * of a task that was stopped. Should somebody settle one all the same, that counts.
 */
export async function loseReservations(
  db: D1Database,
  which: { readonly taskId: string } | { readonly now: number },
): Promise<void> {
  const isDue = sql`${"taskId" in which ? sql`r.task_id = ${which.taskId}` : sql`r.until <= ${which.now}`} AND r.is_lost = 0`;
  const tokens = sql`r.read_tokens + ${HEARD}`;
  const microUsd = sql`CAST(ROUND(r.read_tokens * r.input_micro_usd + ${HEARD} * r.output_micro_usd) AS INTEGER)`;
  await addRecount(new Batch(), isDue, {
    tokens: sql`${tokens} - r.tokens`,
    microUsd: sql`${microUsd} - r.micro_usd`,
  })
    .add(
      "lose",
      sql`UPDATE reservations AS r SET tokens = ${tokens}, micro_usd = ${microUsd}, is_lost = 1 WHERE ${isDue}`,
    )
    .run(db);
}
