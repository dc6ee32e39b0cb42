/**
 * Reserving what a model call may cost, before it is made: whoever finds no room makes none. Of many that ask at the same time D1 lets as
 * many through as there is room for.
 */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { dayOf, type HeldCap, toMicroUsd } from "../policy/caps.ts";
import { Batch } from "./batch.ts";
import { ACTIVE, claimHeld, type TurnClaim } from "./statements/guards.ts";
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
  /** What a person is asked where there is no room. */
  readonly approvalId: string;
  /** Nobody hears of it after that. */
  readonly until: number;
}

const Room = z.object({
  /** `allowed`: what somebody has allowed the task beyond its caps. */
  scope: z.enum(["task", "sender", "tenant", "allowed"]),
  tokens: z.int(),
  micro_usd: z.int(),
  tokens_max: z.int(),
  micro_usd_max: z.int(),
  /** Of what is counted: of calls under way. They may cost less. */
  tokens_held: z.int(),
  micro_usd_held: z.int(),
});
export type Room = z.infer<typeof Room>;

export type Reserved = { readonly rooms: readonly Room[] } & (
  | { readonly kind: "reserved"; readonly tokensOut: number }
  /** There is no room. The turn may be somebody else's by now as well. */
  | { readonly kind: "full" }
  /** A person was asked for more, and has said no: whatever room there is by now. */
  | { readonly kind: "denied" }
);

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

/** What is counted of the task. Of its own calls there is one at a time: what is held is of a planner that was lost. */
function selectTask(scope: "task" | "allowed", taskId: string, max: { tokens: Sql; microUsd: Sql }): Sql {
  const held = sql`FROM reservations r WHERE r.task_id = t.id AND r.is_lost = 0`;
  return sql`SELECT ${scope} AS scope, t.spent_tokens AS tokens, t.spent_micro_usd AS micro_usd, ${max.tokens} AS tokens_max,
      ${max.microUsd} AS micro_usd_max, (SELECT COALESCE(SUM(r.tokens), 0) ${held}) AS tokens_held,
      (SELECT COALESCE(SUM(r.micro_usd), 0) ${held}) AS micro_usd_held
    FROM tasks t WHERE t.id = ${taskId}`;
}

/** The caps that hold for a task, what was allowed beyond them, and what is counted of each. */
function selectRooms({ taskId, caps }: Reservation, day: number): Sql {
  const cap = { tokens: sql`${caps.task.tokens}`, microUsd: sql`${toMicroUsd(caps.task.usd)}` };
  const approvals = sql`FROM approvals a WHERE a.task_id = ${taskId} AND a.state = 'approved' AND a.allows IS NOT NULL`;
  const allowed = {
    tokens: sql`(SELECT MAX(a.allows->>'tokens') ${approvals})`,
    microUsd: sql`(SELECT MAX(a.allows->>'micro_usd') ${approvals})`,
  };
  return sql`${selectTask("task", taskId, cap)}
    UNION ALL ${selectDay("sender", caps.sender, taskId, day)}
    UNION ALL ${selectDay("tenant", caps.tenant, taskId, day)}
    UNION ALL ${selectTask("allowed", taskId, allowed)} AND EXISTS (SELECT 1 ${approvals})`;
}

/** What is left, as one row: of the cap that is the nearest, or of what was allowed beyond them; and whether calls under way hold a part of it. */
const selectLeft = (reservation: Reservation, day: number): Sql =>
  sql`SELECT MAX(scope <> 'allowed' AND ((tokens_max - tokens < ${reservation.tokensIn + reservation.tokensOutMax} AND tokens_held > 0)
        OR (micro_usd_max - micro_usd < ${costOfAll(reservation)} AND micro_usd_held > 0))) AS is_held,
      MAX(MIN(CASE WHEN scope <> 'allowed' THEN tokens_max - tokens END),
        COALESCE(MAX(CASE scope WHEN 'allowed' THEN tokens_max - tokens END), 0)) AS tokens,
      MAX(MIN(CASE WHEN scope <> 'allowed' THEN micro_usd_max - micro_usd END),
        COALESCE(MAX(CASE scope WHEN 'allowed' THEN micro_usd_max - micro_usd END), 0)) AS micro_usd
    FROM (${selectRooms(reservation, day)})`;

/** What it costs at most. */
const costOfAll = ({ tokensIn, tokensOutMax, price }: Reservation) =>
  tokensIn * price.input + tokensOutMax * price.output;

/** Tokens that an answer may have for what is left of money. */
function selectAffordable({ tokensIn, tokensOutMax, price }: Reservation): Sql {
  const read = tokensIn * price.input;
  if (price.output > 0) return sql`CAST((micro_usd - ${read}) / ${price.output} AS INTEGER)`;
  return sql`CASE WHEN ${read} > 0 AND micro_usd < ${read} THEN -1 ELSE ${tokensOutMax} END`;
}

/** What it may write is lowered to what there is room for: but not where calls under way hold the rest, which may come free in a moment. */
export async function reserve(db: D1Database, reservation: Reservation, now: number): Promise<Reserved> {
  const { taskId, claim, tokensIn, tokensOutMin, tokensOutMax, price, approvalId, until } = reservation;
  const day = dayOf(now);
  const denied = sql`SELECT 1 AS denied FROM approvals WHERE id = ${approvalId} AND state = 'denied'`;
  const results = await addRecount(
    new Batch().add(
      "reserve",
      sql`INSERT INTO reservations (claim, task_id, tenant_id, sender, day, tokens, micro_usd, read_tokens, input_micro_usd, output_micro_usd, until)
        SELECT ${claim}, t.id, t.tenant_id, ${SENDER}, ${day}, ${tokensIn} + room.out,
          CAST(ROUND(${tokensIn * price.input} + room.out * ${price.output}) AS INTEGER), ${tokensIn}, ${price.input}, ${price.output}, ${until}
        FROM tasks t, (SELECT is_held, MIN(${tokensOutMax}, tokens - ${tokensIn}, ${selectAffordable(reservation)}) AS out
          FROM (${selectLeft(reservation, day)})) room
        WHERE t.id = ${taskId} AND t.${ACTIVE} AND room.out >= ${tokensOutMin} AND (room.out = ${tokensOutMax} OR NOT room.is_held) AND ${claimHeld(reservation)} AND NOT EXISTS (${denied})`,
    ),
    sql`r.claim = ${claim}`,
    { tokens: sql`r.tokens`, microUsd: sql`r.micro_usd` },
  )
    .add("reserved", sql`SELECT tokens FROM reservations WHERE claim = ${claim}`)
    .add("rooms", selectRooms(reservation, day))
    .add("denied", denied)
    .run(db);
  const rooms = results.rows("rooms", Room);
  const reserved = results.row("reserved", z.object({ tokens: z.int() }));
  if (reserved !== undefined) return { kind: "reserved", rooms, tokensOut: reserved.tokens - tokensIn };
  return { kind: results.has("denied") ? "denied" : "full", rooms };
}

/** Nothing of the turn was stored, but its call has cost something. */
export async function settle(db: D1Database, claim: string, spent: Spent): Promise<void> {
  await addSettle(new Batch(), claim, spent).run(db);
}

/**
 * Calls of whose end nobody will hear any more have cost what they read, and what they are known to have written: those whose time is over,
 * or those of a task that was stopped. Should somebody settle one all the same, that counts.
 */
export async function loseReservations(
  db: D1Database,
  which: { readonly taskId: string } | { readonly now: number },
): Promise<void> {
  const isDue = sql`${"taskId" in which ? sql`r.task_id = ${which.taskId}` : sql`r.until <= ${which.now}`} AND r.is_lost = 0`;
  const tokens = sql`r.read_tokens + r.written_tokens`;
  const microUsd = sql`CAST(ROUND(r.read_tokens * r.input_micro_usd + r.written_tokens * r.output_micro_usd) AS INTEGER)`;
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
