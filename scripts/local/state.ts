/** The state of this machine's installation: the database migrated, an API key made, what a dead process had claimed let go. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { getPlatformProxy } from "wrangler";
import { sha256Hex } from "../../shared/ids.ts";
import { addApiKey } from "../../shared/store/api-keys.ts";
import { expireClaims } from "../../shared/store/outbox.ts";

const CONFIG = "wrangler/ingress.jsonc";
const MIGRATIONS = "shared/store/migrations";

/** @returns the API key of this machine: the same for as long as its state is kept. */
export async function prepareState(state: string): Promise<string> {
  const apiKey = (await knownKey(state)) ?? `errand_default_${randomBytes(24).toString("base64url")}`;
  const prepare = async (db: D1Database) => {
    if (!(await isMigrated(db))) return false;
    const hash = await sha256Hex(apiKey);
    await addApiKey(db, { hash, tenantId: "default", label: "this machine", now: Date.now() });
    await expireClaims(db);
    return true;
  };
  // Opening the database takes a second, so a state that is migrated is opened once.
  if (!(await withDatabase(state, prepare))) {
    await migrate(state);
    await withDatabase(state, prepare);
  }
  return apiKey;
}

async function isMigrated(db: D1Database): Promise<boolean> {
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql"));
  const known = await db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'd1_migrations'").first();
  if (known === null) return false;
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  return files.every((name) => applied.has(name));
}

async function migrate(state: string): Promise<void> {
  const args = ["d1", "migrations", "apply", "errand", "--local", "-c", CONFIG, "--persist-to", state];
  const env = {
    ...process.env,
    CI: "1",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
  };
  await promisify(execFile)("wrangler", args, { env });
}

async function withDatabase<Result>(
  state: string,
  work: (db: D1Database) => Promise<Result>,
): Promise<Result> {
  const proxy = await getPlatformProxy<{ DB: D1Database }>({
    configPath: CONFIG,
    // `wrangler dev --persist-to` keeps its state one folder below the one it is given.
    persist: { path: join(state, "v3") },
  });
  try {
    return await work(proxy.env.DB);
  } finally {
    await proxy.dispose();
  }
}

async function knownKey(state: string): Promise<string | null> {
  const local = parseJson(await readFile(join(state, "local.json"), "utf8").catch(() => ""));
  if (typeof local !== "object" || local === null || !("apiKey" in local)) return null;
  return typeof local.apiKey === "string" ? local.apiKey : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
