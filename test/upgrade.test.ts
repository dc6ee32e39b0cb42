/** What an earlier version has left in queues, rows and instances is read by this one, and what a migration does can be borne by the version before. */
import { readdirSync, readFileSync } from "node:fs";
import * as z from "zod/mini";
import { describe, expect, it } from "vitest";
import { listMigrations, MIGRATIONS_FOLDER } from "../scripts/installation/migrations.ts";
import { CONTRACTS } from "./upgrade/contracts.ts";

const GOLDEN = "test/upgrade/contracts";

const golden = readdirSync(GOLDEN).flatMap((version) => {
  const samples: Record<string, unknown[]> = JSON.parse(readFileSync(`${GOLDEN}/${version}`, "utf8"));
  return Object.entries(samples).flatMap(([name, all]) =>
    all.map((sample, index) => ({ version, name, index: index + 1, sample })),
  );
});

describe("what an earlier version has left", () => {
  it.each(golden)("is read: $version $name $index", ({ name, sample }) => {
    const contract = CONTRACTS[name];
    if (contract === undefined) throw new Error(`${name} is not read by anybody any more.`);
    expect(z.safeParse(contract.schema, sample).error).toBeUndefined();
  });

  it("is known in each of its shapes: the newest file has all of this version's contracts", () => {
    const versions = new Set(golden.map(({ version }) => version));
    const newest = [...versions].find((version) =>
      Object.keys(CONTRACTS).every((name) =>
        golden.some((one) => one.version === version && one.name === name),
      ),
    );
    expect(newest).toBeDefined();
  });
});

/** Released before migrations had to bear the Workers of the version before. */
const LAST_FREE = "0014_units.sql";

/** What only adds: a table, an index of it, a column that nobody has to fill. */
const ADDING = [
  /^CREATE TABLE (?:IF NOT EXISTS )?\w+/i,
  /^CREATE INDEX /i,
  /^ALTER TABLE \w+ ADD (?:COLUMN )?(?!.*\bNOT NULL\b(?!.*\bDEFAULT\b))(?!.*\bUNIQUE\b)/is,
];

/** The first statement that the Workers of the version before might stumble over. */
function findNarrowing(sql: string): string | null {
  const code = sql.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\//g, "");
  const statements = code
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
  return statements.find((statement) => !ADDING.some((adding) => adding.test(statement))) ?? null;
}

describe("a migration", () => {
  it("after the first release only adds", async () => {
    const later = (await listMigrations()).filter((name) => name > LAST_FREE);
    for (const name of later) {
      const narrowing = findNarrowing(readFileSync(`${MIGRATIONS_FOLDER}/${name}`, "utf8"));
      expect({ name, narrowing }).toEqual({ name, narrowing: null });
    }
  });

  it.each([
    ["ALTER TABLE tasks DROP COLUMN nonce", true],
    ["ALTER TABLE tasks RENAME COLUMN nonce TO once", true],
    ["ALTER TABLE tasks ADD COLUMN model TEXT NOT NULL", true],
    ["ALTER TABLE tasks ADD COLUMN model TEXT NOT NULL DEFAULT ''", false],
    ["ALTER TABLE tasks DROP nonce", true],
    ["CREATE UNIQUE INDEX one ON tasks (nonce)", true],
    ["CREATE TRIGGER no BEFORE INSERT ON tasks BEGIN SELECT RAISE(ABORT, 'no')", true],
    ["UPDATE tasks SET state = 'failed'", true],
    ["DELETE FROM outbox", true],
    ["ALTER TABLE tasks ADD COLUMN model TEXT", false],
    ["-- DROP TABLE tasks\nCREATE TABLE approvals (id TEXT NOT NULL)", false],
  ])("is understood: %s", (sql, narrows) => {
    expect(findNarrowing(sql) !== null).toBe(narrows);
  });
});
