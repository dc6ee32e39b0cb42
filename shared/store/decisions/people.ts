/** Decisions about who may talk. Each is written into the audit, in the batch that takes it. */
import sql, { type Sql } from "sql-template-tag";
import type { Timings } from "../../limits.ts";
import type { Batch } from "../batch.ts";
import type { DecisionOf } from "../decision.ts";
import { ringNew } from "../statements/doorbells.ts";
import { inboundNew } from "../statements/guards.ts";

/** A line of the audit, while `guard` holds. `by` and `what` are the engine's words, `whom` is an id of the platform's. */
function audit(tenantId: string, now: number, by: string, what: string, whom: string, guard: Sql): Sql {
  return sql`INSERT INTO audit (tenant_id, at, by, what, whom)
    SELECT ${tenantId}, ${now}, ${by}, ${what}, ${whom} WHERE ${guard}`;
}

/**
 * Writes a stranger down with a code, and tells them. Whoever is known keeps the code that they were told: a second triage
 * comes with another one, and says nothing.
 */
export function addCode(
  batch: Batch,
  decision: DecisionOf<"issue_code">,
  now: number,
  timings: Timings,
): void {
  const { inbound, channel, personId, code, text, externalId } = decision;
  const tenant = inbound.tenant_id;
  const isTheirs = sql`EXISTS (SELECT 1 FROM people
    WHERE tenant_id = ${tenant} AND channel = ${channel} AND external_id = ${personId} AND code = ${code})`;
  const whom = `${channel}:${personId}`;
  batch
    .add(
      "person",
      sql`INSERT INTO people (tenant_id, channel, external_id, role, code, created_at)
        SELECT ${tenant}, ${channel}, ${personId}, 'unknown', ${code}, ${now} WHERE ${inboundNew(inbound.id)}
        ON CONFLICT DO NOTHING`,
    )
    .add(
      "audit",
      audit(tenant, now, "errand", "told a code", whom, sql`${isTheirs} AND ${inboundNew(inbound.id)}`),
    )
    .add(
      "told",
      sql`INSERT INTO replies (id, tenant_id, conversation_id, text, final, answers_id, created_at)
        SELECT ${inbound.id}, ${tenant}, ${inbound.conversation_id}, ${text}, 1, ${externalId}, ${now} WHERE ${isTheirs}
        ON CONFLICT DO NOTHING`,
    )
    .addRinging(
      "ring told",
      ringNew(
        "replies",
        sql`SELECT id AS key FROM replies WHERE id = ${inbound.id} AND state = 'open'`,
        now + timings.doorbell_grace_ms,
      ),
    );
}

/** An admin admits a group, with everybody in it. */
export function addGroup(
  batch: Batch,
  { inbound, channel, groupId, by }: DecisionOf<"admit_group">,
  now: number,
): void {
  const tenant = inbound.tenant_id;
  batch
    .add(
      "group",
      sql`INSERT INTO people (tenant_id, channel, external_id, role, created_at)
        SELECT ${tenant}, ${channel}, ${groupId}, 'member', ${now} WHERE ${inboundNew(inbound.id)}
        ON CONFLICT DO UPDATE SET role = 'member', code = NULL`,
    )
    .add(
      "audit",
      audit(tenant, now, by, "admitted the group", `${channel}:${groupId}`, inboundNew(inbound.id)),
    );
}

/** An admin makes somebody an admin, whoever they were before. */
export function addPromotion(
  batch: Batch,
  { inbound, channel, personId, by }: DecisionOf<"promote">,
  now: number,
): void {
  const tenant = inbound.tenant_id;
  batch
    .add(
      "promoted",
      sql`INSERT INTO people (tenant_id, channel, external_id, role, created_at)
        SELECT ${tenant}, ${channel}, ${personId}, 'admin', ${now} WHERE ${inboundNew(inbound.id)}
        ON CONFLICT DO UPDATE SET role = 'admin', code = NULL`,
    )
    .add(
      "audit",
      audit(tenant, now, by, "promoted to admin", `${channel}:${personId}`, inboundNew(inbound.id)),
    );
}

/** A group that was admitted stays so under its new id. */
export function addMigratedGroup(
  batch: Batch,
  { inbound, channel, from, to }: DecisionOf<"migrate_group">,
  now: number,
): void {
  const tenant = inbound.tenant_id;
  const admitted = sql`FROM people WHERE tenant_id = ${tenant} AND channel = ${channel} AND external_id = ${from}
    AND role <> 'unknown' AND ${inboundNew(inbound.id)}`;
  const what = `followed the group to ${to}`;
  batch
    .add("audit", audit(tenant, now, channel, what, `${channel}:${from}`, sql`EXISTS (SELECT 1 ${admitted})`))
    .add(
      "group",
      sql`INSERT INTO people (tenant_id, channel, external_id, role, created_at)
        SELECT tenant_id, channel, ${to}, role, ${now} ${admitted} ON CONFLICT DO UPDATE SET role = excluded.role`,
    );
}
