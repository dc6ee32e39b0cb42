/** Configuration: `.dev.vars` at the root, overridden by environment variables. */
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";

const NAMES = [
  "TELEGRAM_BOT_TOKEN",
  "TELEGRAM_WEBHOOK_SECRET",
  "TELEGRAM_ALLOWED_USERS",
  "TELEGRAM_API_BASE",
  "ERRAND_TIMINGS",
] as const;

export type Settings = Readonly<Partial<Record<(typeof NAMES)[number], string>>>;

export async function readSettings(file: string): Promise<Settings> {
  const fromFile = parseEnv(await readFile(file, "utf8").catch(() => ""));
  const all = NAMES.map((name) => [name, process.env[name] ?? fromFile[name]]);
  return Object.fromEntries(all.filter(([, value]) => value !== undefined && value !== ""));
}

/** The settings as the file that `wrangler dev` reads; nobody else on this machine may. */
export async function writeVars(state: string, settings: Settings): Promise<string> {
  const file = join(state, "vars.env");
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${quoted(name, value)}\n`);
  await writeFile(file, lines.join(""), { mode: 0o600 });
  await chmod(file, 0o600);
  return file;
}

/** Single quotes keep everything as it is, but for themselves. */
function quoted(name: string, value: string): string {
  if (/['\n\r]/.test(value)) throw new Error(`${name} must not hold a single quote or a line break.`);
  return `'${value.replaceAll("$", "\\$")}'`;
}
