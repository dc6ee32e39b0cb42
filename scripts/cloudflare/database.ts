/** The database of an installation on Cloudflare: brought to what this version expects, with the first key in it. */
import { randomBytes } from "node:crypto";
import type { Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { sha256Hex } from "../../shared/ids.ts";
import { insertFirstKey } from "../../shared/store/api-keys.ts";
import { listMigrations } from "../installation/migrations.ts";
import { CloudflareError } from "./cloudflare-api.ts";
import type { Deployment } from "./deployment.ts";
import type { Step } from "./step.ts";

/** The tenant that the first migration makes. */
const TENANT = "default";

/** What the database says of itself. */
export interface DatabaseState {
  readonly applied: readonly string[];
  /** Somebody may use the API. */
  readonly hasKeys: boolean;
}

const Answers = z.array(z.object({ results: z.array(z.looseObject({})) }));

/** Nothing when it is new. Throws when a later version of Errand has migrated it. */
export async function readDatabase({ api, accountId, live, target }: Deployment): Promise<DatabaseState> {
  if (live.database === null) return { applied: [], hasKeys: false };
  const path = `/accounts/${accountId}/d1/database/${live.database.id}/query`;
  const select = async (sql: string) => {
    try {
      const [answer] = await api.call(path, Answers, { method: "POST", body: { sql } });
      return answer?.results ?? [];
    } catch (error) {
      // Killed between the making of the database and its first migration.
      if (error instanceof CloudflareError && /no such table/i.test(error.message)) return [];
      throw error;
    }
  };
  const applied = (await select("SELECT name FROM d1_migrations ORDER BY id")).map(({ name }) =>
    String(name),
  );
  await refuseForeign(select, applied, target.name);
  const known = await listMigrations();
  const later = applied.filter((name) => !known.includes(name));
  if (later.length > 0)
    throw new Error(
      `The database of ${target.name} belongs to a later version of Errand (${later.join(", ")}): update this clone. To take the Workers back: npm run rollback -- --name ${target.name}`,
    );
  const keys = applied.length === 0 ? [] : await select("SELECT hash FROM api_keys LIMIT 1");
  return { applied, hasKeys: keys.length > 0 };
}

/** Tables that ours has had since its first migration. */
const OURS = ["outbox", "deliveries", "api_keys"];

/** A database of that name that holds something else is somebody's: neither to be migrated nor to be deleted. */
async function refuseForeign(
  select: (sql: string) => Promise<Record<string, unknown>[]>,
  applied: readonly string[],
  name: string,
): Promise<void> {
  const tables = (await select("SELECT name FROM sqlite_master WHERE type = 'table'"))
    .map((table) => String(table["name"]))
    .filter((table) => !/^(?:sqlite_|_cf_|d1_migrations$)/.test(table));
  const isNew = tables.length === 0 && applied.length === 0;
  if (isNew || OURS.every((table) => tables.includes(table))) return;
  throw new Error(
    `There is a database ${name} on the account that is not Errand's: it holds ${tables.slice(0, 5).join(", ") || "nothing"}. Take another name: --name other`,
  );
}

/** Steps for the migrations that are missing. They only ever add, so the Workers of the version before go on meanwhile, and after. */
export async function planMigrations(
  deployment: Deployment,
  { applied }: DatabaseState,
  writeConfig: () => Promise<string>,
): Promise<Step[]> {
  const missing = (await listMigrations()).filter((name) => !applied.includes(name));
  if (missing.length === 0) return [];
  const { wrangler, target } = deployment;
  const remember: Step = {
    what: "notes where the database is before its migration (Time Travel)",
    async run() {
      const { stdout } = await wrangler.run(["d1", "time-travel", "info", target.name, "--json"]);
      await deployment.remember({ bookmark: Bookmark.parse(JSON.parse(stdout)).bookmark });
    },
  };
  const apply: Step = {
    what: `migrates the database: ${missing.length === 1 ? missing[0] : `${missing[0]} to ${missing.at(-1)}`}`,
    async run() {
      await wrangler.run(["d1", "migrations", "apply", target.name, "--remote", "-c", await writeConfig()]);
    },
  };
  return applied.length === 0 ? [apply] : [remember, apply];
}
const Bookmark = z.object({ bookmark: z.string() });

/** The step that makes the first key, unless somebody has one already. It is written down here before the database knows it, so no kill loses it. */
export function planFirstKey(deployment: Deployment, { hasKeys }: DatabaseState, wantsNew: boolean): Step[] {
  const { record, wrangler, target } = deployment;
  const isUnfinished = record.apiKey !== null && !record.keyStored;
  if (hasKeys && !isUnfinished && !wantsNew) return [];
  return [
    {
      what: wantsNew ? "makes another API key" : "makes the first API key",
      async run() {
        const apiKey = isUnfinished ? record.apiKey : null;
        const key = apiKey ?? `errand_${TENANT}_${randomBytes(24).toString("base64url")}`;
        await deployment.remember({ apiKey: key, keyStored: false });
        const hash = await sha256Hex(key);
        const sql = inline(insertFirstKey({ hash, tenantId: TENANT, label: "deploy", now: Date.now() }));
        await wrangler.run(["d1", "execute", target.name, "--remote", "--yes", "--json", "--command", sql]);
        await deployment.remember({ keyStored: true });
      },
    },
  ];
}

/** The statement with its values in it: `d1 execute` takes no parameters. */
function inline({ strings, values }: Sql): string {
  return strings.reduce((text, part, index) => `${text}${literal(values[index - 1])}${part}`);
}

function literal(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  throw new Error("The first key is made of texts and numbers.");
}
