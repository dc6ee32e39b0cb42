/** A batch of named statements. */
import sql from "sql-template-tag";
import { beforeAll, expect, it } from "vitest";
import * as z from "zod/mini";
import { Batch } from "../../../shared/store/batch.ts";
import { openDatabase } from "../database.ts";

let db: D1Database;
beforeAll(async () => {
  db = await openDatabase();
});

it("refuses a name that is taken, which would take away a statement", () => {
  const batch = new Batch().add("one", sql`SELECT 1`);
  expect(() => batch.add("one", sql`SELECT 2`)).toThrow('a statement "one" already');
  expect(() => batch.within("run").add("one", sql`SELECT 2`)).not.toThrow();
});

it("answers by name, with what is to be rung, and refuses rows of another shape", async () => {
  const results = await new Batch()
    .add("one", sql`SELECT ${1} AS n`)
    .addRinging("bell", sql`SELECT 'tasks' AS queue, 'k' AS key`)
    .run(db);
  expect(results.row("one", z.object({ n: z.int() }))).toEqual({ n: 1 });
  expect(results.doorbells()).toEqual([{ queue: "tasks", key: "k" }]);
  expect(() => results.row("one", z.object({ n: z.string() }))).toThrow("expected string");
  expect(() => results.has("two")).toThrow('no result for the statement "two"');
});
