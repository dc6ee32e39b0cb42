/** A stranger is told one code, whoever looks at what they wrote, and however often. */
import { beforeAll, expect, it } from "vitest";
import { TIMINGS } from "../../../shared/limits.ts";
import { addFirstKey } from "../../../shared/store/api-keys.ts";
import { applyDecisions } from "../../../shared/store/apply-decisions.ts";
import { admitByCode, readRoles } from "../../../shared/store/people.ts";
import type { Decision } from "../../../shared/store/decision.ts";
import { CALLER, newInbound, whereOf } from "../builders.ts";
import { openDatabase, rows } from "../database.ts";

let db: D1Database;
beforeAll(async () => {
  db = await openDatabase();
  await db.prepare("INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 1)").run();
  for (const tenant of ["default", "other"])
    await addFirstKey(db, { hash: tenant, tenantId: tenant, label: "test", now: 1 });
});

/** What triage decides for a message of person 7, with a code that it has just drawn. */
async function stranger(id: string, code: string): Promise<Decision> {
  await db
    .prepare(
      `INSERT INTO inbound (id, tenant_id, channel, conversation_id, event, raw, state, received_at)
       VALUES (?, 'default', 'telegram', 'conv_7', '{}', '', 'new', 1) ON CONFLICT DO NOTHING`,
    )
    .bind(id)
    .run();
  const where = whereOf(newInbound(id, "conv_7"));
  return { kind: "issue_code", ...where, personId: "7", code, text: `code ${code}` };
}

const told = () => rows<{ text: string }>(db, "SELECT text FROM replies");

it("and is admitted by it once, by their own tenant only", async () => {
  // Two consumers have read the same message, and then a second message comes.
  const [one, two] = [await stranger("inb_1", "AAAA-AAAA"), await stranger("inb_1", "BBBB-BBBB")];
  await applyDecisions(db, [one], 1, TIMINGS);
  await applyDecisions(db, [two], 1, TIMINGS);
  await applyDecisions(db, [await stranger("inb_2", "CCCC-CCCC")], 1, TIMINGS);
  expect(await told()).toEqual([{ text: "code AAAA-AAAA" }]);

  const admit = (keyHash: string, code: string) =>
    admitByCode(db, { caller: { ...CALLER, keyHash }, code, role: "member" }, 1);
  expect(await admit("nobody", "AAAA-AAAA")).toEqual({ kind: "unauthorized" });
  expect(await admit("other", "AAAA-AAAA")).toEqual({ kind: "not_found" });
  expect(await admit("default", "BBBB-BBBB")).toEqual({ kind: "not_found" });
  expect(await admit("default", "AAAA-AAAA")).toMatchObject({ value: { external_id: "7", role: "member" } });
  expect(await admit("default", "AAAA-AAAA")).toEqual({ kind: "not_found" });
  const roles = await readRoles(db, { tenantId: "default", channel: "telegram", ids: ["7", "8"] });
  expect([...roles]).toEqual([["7", "member"]]);
  expect(await rows(db, "SELECT by, whom FROM audit ORDER BY seq")).toEqual([
    { by: "errand", whom: "telegram:7" },
    { by: "api", whom: "telegram:7" },
  ]);
});
