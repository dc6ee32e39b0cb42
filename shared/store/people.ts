/** People and groups: who may talk, who admitted them, and what strangers were told. */
import * as z from "zod/mini";
import { Role } from "../contracts/person.ts";
import { LIMITS, type Timings } from "../limits.ts";
import { rowsOf, runBatch } from "./batch.ts";
import {
  found,
  type Found,
  listOf,
  NOT_FOUND,
  type Outcome,
  outcomeOf,
  UNAUTHORIZED,
  type Unauthorized,
} from "./outcome.ts";

const Known = z.object({ external_id: z.string(), role: z.enum(["unknown", ...Role.options]) });
export type KnownRole = z.infer<typeof Known>["role"];

/** What is known of these ids, in one round trip. */
export async function readRoles(
  db: D1Database,
  { tenantId, channel, ids }: { tenantId: string; channel: string; ids: readonly string[] },
): Promise<ReadonlyMap<string, KnownRole>> {
  const result = await db
    .prepare(
      `SELECT external_id, role FROM people
       WHERE tenant_id = ? AND channel = ? AND external_id IN (SELECT value FROM json_each(?))`,
    )
    .bind(tenantId, channel, JSON.stringify(ids))
    .all();
  return new Map(rowsOf(result, Known).map(({ external_id, role }) => [external_id, role]));
}

export interface Newcomer {
  inboundId: string;
  tenantId: string;
  channel: string;
  externalId: string;
}

/**
 * Writes a stranger down with a code, and tells them. Whoever is known keeps the code that they were told: a second look
 * comes with another one, and says nothing.
 */
export function introduce(
  db: D1Database,
  stranger: Newcomer & { conversationId: string; code: string; text: string },
  now: number,
  timings: Timings,
): D1PreparedStatement[] {
  const { inboundId, tenantId, channel, externalId, conversationId, code, text } = stranger;
  return [
    db
      .prepare(
        `INSERT INTO people (tenant_id, channel, external_id, role, code, created_at)
         SELECT ?2, ?3, ?4, 'unknown', ?5, ?6 FROM inbound WHERE id = ?1 AND state = 'new' ON CONFLICT DO NOTHING`,
      )
      .bind(inboundId, tenantId, channel, externalId, code, now),
    db
      .prepare(
        `INSERT INTO audit (tenant_id, at, by, what, whom)
         SELECT tenant_id, ?5, 'errand', 'told a code', channel || ':' || external_id FROM people
         WHERE tenant_id = ?1 AND channel = ?2 AND external_id = ?3 AND code = ?4
           AND EXISTS (SELECT 1 FROM inbound WHERE id = ?6 AND state = 'new')`,
      )
      .bind(tenantId, channel, externalId, code, now, inboundId),
    db
      .prepare(
        `INSERT INTO replies (id, tenant_id, conversation_id, text, final, created_at)
         SELECT ?1, tenant_id, ?2, ?3, 1, ?4 FROM people WHERE tenant_id = ?5 AND channel = ?6 AND external_id = ?7 AND code = ?8
         ON CONFLICT DO NOTHING`,
      )
      .bind(inboundId, conversationId, text, now, tenantId, channel, externalId, code),
    db
      .prepare(
        `INSERT INTO outbox (queue, key, ring_at) SELECT 'replies', id, ?2 FROM replies WHERE id = ?1 AND state = 'open'
         ON CONFLICT DO NOTHING RETURNING queue, key`,
      )
      .bind(inboundId, now + timings.doorbell_grace_ms),
  ];
}

/** An admin admits a group, with everybody in it. */
export function admitGroup(
  db: D1Database,
  { inboundId, tenantId, channel, externalId }: Newcomer,
  by: string,
  now: number,
): D1PreparedStatement[] {
  const isNew = "EXISTS (SELECT 1 FROM inbound WHERE id = ?1 AND state = 'new')";
  return [
    db
      .prepare(
        `INSERT INTO people (tenant_id, channel, external_id, role, created_at)
         SELECT ?2, ?3, ?4, 'member', ?5 WHERE ${isNew} ON CONFLICT DO UPDATE SET role = 'member'`,
      )
      .bind(inboundId, tenantId, channel, externalId, now),
    db
      .prepare(
        `INSERT INTO audit (tenant_id, at, by, what, whom) SELECT ?2, ?5, ?6, 'admitted the group', ?3 || ':' || ?4 WHERE ${isNew}`,
      )
      .bind(inboundId, tenantId, channel, externalId, now, by),
  ];
}

/** A group that was admitted stays so under its new id. */
export function followGroup(
  db: D1Database,
  { inboundId, tenantId, channel, externalId }: Newcomer,
  to: string,
  now: number,
): D1PreparedStatement[] {
  const wasAdmitted = `FROM people WHERE tenant_id = ?2 AND channel = ?3 AND external_id = ?4 AND role <> 'unknown'
    AND EXISTS (SELECT 1 FROM inbound WHERE id = ?1 AND state = 'new')`;
  return [
    db
      .prepare(
        `INSERT INTO audit (tenant_id, at, by, what, whom)
         SELECT tenant_id, ?6, channel, 'followed the group to ' || ?5, channel || ':' || external_id ${wasAdmitted}`,
      )
      .bind(inboundId, tenantId, channel, externalId, to, now),
    db
      .prepare(
        `INSERT INTO people (tenant_id, channel, external_id, role, created_at)
         SELECT tenant_id, channel, ?5, role, ?6 ${wasAdmitted} ON CONFLICT DO UPDATE SET role = excluded.role`,
      )
      .bind(inboundId, tenantId, channel, externalId, to, now),
  ];
}

const Person = z.object({
  channel: z.string(),
  external_id: z.string(),
  role: Known.shape.role,
  created_at: z.int(),
});
export type Person = z.infer<typeof Person>;

const KEY = "(SELECT tenant_id FROM api_keys WHERE hash = ?1)";

/** Admits whoever was told this code. Not found: nobody of this tenant was, or they are admitted already. */
export async function admitByCode(
  db: D1Database,
  { keyHash, code, role }: { keyHash: string; code: string; role: Role },
  now: number,
): Promise<Outcome<Person>> {
  const results = await runBatch(db, {
    key: db.prepare("SELECT 1 FROM api_keys WHERE hash = ?").bind(keyHash),
    audit: db
      .prepare(
        `INSERT INTO audit (tenant_id, at, by, what, whom)
         SELECT tenant_id, ?3, 'api', 'admitted as ' || ?4, channel || ':' || external_id
         FROM people WHERE code = ?2 AND tenant_id = ${KEY}`,
      )
      .bind(keyHash, code, now, role),
    // The code has done its work: it admits once.
    person: db
      .prepare(
        `UPDATE people SET role = ?3, code = NULL WHERE code = ?2 AND tenant_id = ${KEY}
         RETURNING channel, external_id, role, created_at`,
      )
      .bind(keyHash, code, role),
  });
  return outcomeOf(results("key"), results("person"), Person);
}

/** Everybody who is known, up to a page. */
export async function listPeople(db: D1Database, keyHash: string): Promise<Found<Person[]> | Unauthorized> {
  const results = await runBatch(db, {
    key: db.prepare("SELECT 1 FROM api_keys WHERE hash = ?").bind(keyHash),
    people: db
      .prepare(
        `SELECT channel, external_id, role, created_at FROM people WHERE tenant_id = ${KEY}
         ORDER BY channel, external_id LIMIT ?2`,
      )
      .bind(keyHash, LIMITS.people_page_max),
  });
  return listOf(results("key"), results("people"), Person);
}

/** Takes a person or a group off the list: to us they are strangers again. Not found: they were not on it. */
export async function dismiss(
  db: D1Database,
  { keyHash, channel, externalId }: { keyHash: string; channel: string; externalId: string },
  now: number,
): Promise<Outcome<null>> {
  const results = await runBatch(db, {
    key: db.prepare("SELECT 1 FROM api_keys WHERE hash = ?").bind(keyHash),
    audit: db
      .prepare(
        `INSERT INTO audit (tenant_id, at, by, what, whom) SELECT tenant_id, ?4, 'api', 'dismissed', channel || ':' || external_id
         FROM people WHERE tenant_id = ${KEY} AND channel = ?2 AND external_id = ?3`,
      )
      .bind(keyHash, channel, externalId, now),
    person: db
      .prepare(`DELETE FROM people WHERE tenant_id = ${KEY} AND channel = ?2 AND external_id = ?3`)
      .bind(keyHash, channel, externalId),
  });
  if (results("key").results.length === 0) return UNAUTHORIZED;
  return results("person").meta.changes > 0 ? found(null) : NOT_FOUND;
}
