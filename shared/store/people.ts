/** People and groups: who may talk, as the API and the variables' owners decide it. What triage decides is in `decisions/people.ts`. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { Role } from "../contracts/person.ts";
import { LIMITS } from "../limits.ts";
import { Batch, select } from "./batch.ts";
import {
  found,
  type Found,
  readList,
  NOT_FOUND,
  type Outcome,
  readOutcome,
  readRefusal,
  type Refused,
} from "./outcome.ts";
import { type Caller, findKey, selectTenant } from "./statements/guards.ts";

const Known = z.object({ external_id: z.string(), role: z.enum(["unknown", ...Role.options]) });
/** Unknown: they were told a code, and nobody has admitted them. */
export type KnownRole = z.infer<typeof Known>["role"];

/** The roles of those of these ids that are known, in one round trip. */
export async function readRoles(
  db: D1Database,
  { tenantId, channel, ids }: { tenantId: string; channel: string; ids: readonly string[] },
): Promise<ReadonlyMap<string, KnownRole>> {
  const known = await select(
    db,
    sql`SELECT external_id, role FROM people
      WHERE tenant_id = ${tenantId} AND channel = ${channel}
        AND external_id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
    Known,
  );
  return new Map(known.map(({ external_id, role }) => [external_id, role]));
}

const Person = z.object({
  channel: z.string(),
  external_id: z.string(),
  role: Known.shape.role,
  created_at: z.int(),
});
export type Person = z.infer<typeof Person>;

/** A line of the audit for each of these people. */
function audit(now: number, what: string, people: Sql): Sql {
  return sql`INSERT INTO audit (tenant_id, at, by, what, whom)
    SELECT tenant_id, ${now}, 'api', ${what}, channel || ':' || external_id FROM people WHERE ${people}`;
}

/** Admits whoever was told this code. Not found: nobody of this tenant was, or they are admitted already. */
export async function admitByCode(
  db: D1Database,
  { caller, code, role }: { caller: Caller; code: string; role: Role },
  now: number,
): Promise<Outcome<Person>> {
  const theirs = sql`code = ${code} AND tenant_id = ${selectTenant(caller)}`;
  const results = await new Batch()
    .add("key", findKey(caller))
    .add("audit", audit(now, `admitted as ${role}`, theirs))
    // The code has done its work: it admits once.
    .add(
      "person",
      sql`UPDATE people SET role = ${role}, code = NULL WHERE ${theirs} RETURNING channel, external_id, role, created_at`,
    )
    .run(db);
  return readOutcome(results, "person", Person);
}

/** Everybody who is known, up to a page. */
export async function listPeople(db: D1Database, caller: Caller): Promise<Found<Person[]> | Refused> {
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "people",
      sql`SELECT channel, external_id, role, created_at FROM people WHERE tenant_id = ${selectTenant(caller)}
        ORDER BY channel, external_id LIMIT ${LIMITS.people_page_max}`,
    )
    .run(db);
  return readList(results, "people", Person);
}

/** Takes a person or a group off the list: to us they are strangers again. Not found: they were not on it. */
export async function dismissPerson(
  db: D1Database,
  { caller, channel, externalId }: { caller: Caller; channel: string; externalId: string },
  now: number,
): Promise<Outcome<null>> {
  const theirs = sql`tenant_id = ${selectTenant(caller)} AND channel = ${channel} AND external_id = ${externalId}`;
  const results = await new Batch()
    .add("key", findKey(caller))
    .add("audit", audit(now, "dismissed", theirs))
    .add("person", sql`DELETE FROM people WHERE ${theirs}`)
    .run(db);
  const refusal = readRefusal(results);
  if (refusal !== null) return refusal;
  return results.changes("person") > 0 ? found(null) : NOT_FOUND;
}
