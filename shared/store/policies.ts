/** A tenant's policy: read and set. Its default holds where nobody has set one. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import { Policy } from "../policy/policy.ts";
import { Batch, jsonColumn, select } from "./batch.ts";
import {
  found,
  type Found,
  NOT_FOUND,
  type NotFound,
  type Outcome,
  readOutcome,
  readRefusal,
  type Refused,
} from "./outcome.ts";
import { type Caller, findKey, selectTenant } from "./statements/guards.ts";

const Row = z.object({ policy: z.nullable(jsonColumn(Policy)) });

/** Null: nobody has set one. */
export async function readPolicy(db: D1Database, tenantId: string): Promise<Policy | null> {
  const [row] = await select(db, sql`SELECT policy FROM tenants WHERE id = ${tenantId}`, Row);
  return row?.policy ?? null;
}

export async function readOwnPolicy(db: D1Database, caller: Caller): Promise<Outcome<Policy | null>> {
  const results = await new Batch()
    .add("key", findKey(caller))
    .add("policy", sql`SELECT policy FROM tenants WHERE id = ${selectTenant(caller)}`)
    .run(db);
  const row = readOutcome(results, "policy", Row);
  return row.kind === "ok" ? found(row.value.policy) : row;
}

/** Sets it, and notes in the audit who did. */
export async function setPolicy(
  db: D1Database,
  caller: Caller,
  policy: Policy,
): Promise<Found<null> | NotFound | Refused> {
  const tenant = selectTenant(caller);
  const by = `key:${caller.keyHash.slice(0, 16)}`;
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "audit",
      sql`INSERT INTO audit (tenant_id, at, by, what, whom) SELECT id, ${caller.now}, ${by}, 'set the policy', id FROM tenants WHERE id = ${tenant}`,
    )
    .add("set", sql`UPDATE tenants SET policy = ${JSON.stringify(policy)} WHERE id = ${tenant}`)
    .run(db);
  const refusal = readRefusal(results);
  if (refusal !== null) return refusal;
  return results.changes("set") === 1 ? found(null) : NOT_FOUND;
}
