/** What was spent on models today, by whom. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { type Caps, dayOf } from "../policy/caps.ts";
import { Policy } from "../policy/policy.ts";
import { Batch, jsonColumn, select } from "./batch.ts";
import { found, type Found, readList, type Refused } from "./outcome.ts";
import { type Caller, findKey, isAdmin, makeKeySender, selectTenant } from "./statements/guards.ts";
import { EVERYBODY } from "./statements/spending.ts";

const Row = z.object({ sender: z.string(), tokens: z.int(), micro_usd: z.int() });
const Amount = z.object({ tokens: z.int(), micro_usd: z.int() });
export type Amount = z.infer<typeof Amount>;
const PolicyRow = z.object({ policy: z.nullable(jsonColumn(Policy)) });
const NOTHING: Amount = { tokens: 0, micro_usd: 0 };

export interface Usage {
  readonly own: Amount;
  readonly everybody: Amount;
  /** As they are set: `resolveCaps` says what holds. */
  readonly caps: Caps | undefined;
  /** Whoever has spent the most first; nobody but an admin is told. */
  readonly senders: readonly z.infer<typeof Row>[];
}

/** Of a person in a chat. */
export async function readPersonUsage(
  db: D1Database,
  { tenantId, sender }: { tenantId: string; sender: string },
  now: number,
): Promise<Omit<Usage, "senders">> {
  const rows = await select(
    db,
    sql`SELECT sender, tokens, micro_usd FROM spending
      WHERE tenant_id = ${tenantId} AND day = ${dayOf(now)} AND sender IN (${EVERYBODY}, ${sender})`,
    Row,
  );
  const [row] = await select(db, sql`SELECT policy FROM tenants WHERE id = ${tenantId}`, PolicyRow);
  return { ...split(rows, sender), caps: row?.policy?.caps };
}

/** Of an API key, and for an admin's of everybody. */
export async function readKeyUsage(db: D1Database, caller: Caller): Promise<Found<Usage> | Refused> {
  const tenant = selectTenant(caller);
  const sender = makeKeySender(caller);
  const today = sql`FROM spending WHERE tenant_id = ${tenant} AND day = ${dayOf(caller.now)}`;
  const results = await new Batch()
    .add("key", findKey(caller))
    .add("own", sql`SELECT sender, tokens, micro_usd ${today} AND sender IN (${EVERYBODY}, ${sender})`)
    .add(
      "senders",
      sql`SELECT sender, tokens, micro_usd ${today} AND sender <> ${EVERYBODY} AND ${isAdmin(caller)}
        ORDER BY tokens DESC LIMIT ${LIMITS.people_page_max}`,
    )
    .add("policy", sql`SELECT policy FROM tenants WHERE id = ${tenant}`)
    .run(db);
  const own = readList(results, "own", Row);
  if (own.kind !== "ok") return own;
  return found({
    ...split(own.value, sender),
    caps: results.row("policy", PolicyRow)?.policy?.caps,
    senders: results.rows("senders", Row),
  });
}

function split(rows: readonly z.infer<typeof Row>[], sender: string) {
  const of = (whose: string) => rows.find((row) => row.sender === whose) ?? NOTHING;
  return { own: of(sender), everybody: of(EVERYBODY) };
}
