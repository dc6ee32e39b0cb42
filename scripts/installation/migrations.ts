/** The migrations of this version. */
import { readdir } from "node:fs/promises";

export const MIGRATIONS_FOLDER = "shared/store/migrations";

/** Their files' names, in their order. */
export async function listMigrations(): Promise<string[]> {
  return (await readdir(MIGRATIONS_FOLDER)).filter((name) => name.endsWith(".sql")).toSorted();
}
