/** The database of this machine brought to what this version of Errand expects, as `wrangler d1 migrations apply` would. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import type { Caretaker } from "./caretaker.ts";
import { listMigrations, MIGRATIONS_FOLDER } from "../installation/migrations.ts";

/** wrangler's own table, so that either may go on where the other stopped. */
const APPLIED = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`;

const Names = z.array(z.object({ name: z.string() }));

/** Applies what is missing, each file whole or not at all. Throws when the database is of a later version than this one. */
export async function migrate(caretaker: Pick<Caretaker, "batch">): Promise<void> {
  const [, rows] = await caretaker.batch([{ sql: APPLIED }, { sql: "SELECT name FROM d1_migrations" }]);
  const applied = Names.parse(rows).map(({ name }) => name);
  const files = await listMigrations();
  const unknown = applied.filter((name) => !files.includes(name));
  if (unknown.length > 0)
    throw new Error(
      `This state was written by a newer Errand (${unknown.join(", ")}). Update this one, or use another folder: npm start -- --state elsewhere`,
    );
  for (const name of files.filter((file) => !applied.includes(file))) {
    const sql = await readFile(join(MIGRATIONS_FOLDER, name), "utf8");
    await caretaker.batch([
      { sql },
      { sql: "INSERT INTO d1_migrations (name) VALUES (?)", bindings: [name] },
    ]);
  }
}
