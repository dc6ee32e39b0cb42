/** Configuration: `.dev.vars` at the root, overridden by environment variables. */
import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";

/** Every variable, and the Workers that get it: nobody gets what it does not need. */
const VARIABLES = {
  TELEGRAM_BOT_TOKEN: ["notifier"],
  TELEGRAM_WEBHOOK_SECRET: ["ingress"],
  TELEGRAM_BOT_ID: ["ingress"],
  TELEGRAM_BOT_USERNAME: ["ingress"],
  TELEGRAM_ALLOWED_USERS: ["planner"],
  TELEGRAM_API_BASE: ["notifier"],
  ANTHROPIC_API_KEY: ["planner"],
  ANTHROPIC_BASE_URL: ["planner"],
  ANTHROPIC_MODEL: ["planner"],
  ANTHROPIC_PRICE: ["planner"],
  AI_GATEWAY_ACCOUNT_ID: ["planner"],
  AI_GATEWAY_ID: ["planner"],
  AI_GATEWAY_TOKEN: ["planner"],
  ERRAND_LINK_SECRET: ["ingress"],
  ERRAND_TIMINGS: ["ingress", "planner", "executor", "notifier"],
} as const satisfies Record<string, readonly WorkerName[]>;

export const WORKERS = ["ingress", "planner", "executor", "notifier"] as const;
export type WorkerName = (typeof WORKERS)[number];
export type Settings = Readonly<Partial<Record<keyof typeof VARIABLES, string>>>;

/** What would otherwise fail later, and elsewhere. Each may be empty. */
const SHAPES = [
  { name: "ANTHROPIC_BASE_URL", pattern: /^$|^https?:\/\//, words: "a URL, such as http://localhost:11434" },
  {
    name: "ANTHROPIC_PRICE",
    pattern: /^$|^\d+(\.\d+)?\/\d+(\.\d+)?$/,
    words: "dollars per million tokens in and out, such as 2/10",
  },
  {
    name: "TELEGRAM_API_BASE",
    pattern: /^$|^https?:\/\//,
    words: "a URL, such as https://api.telegram.org",
  },
  {
    name: "TELEGRAM_BOT_TOKEN",
    pattern: /^$|^\d+:[\w-]+$/,
    words: "what @BotFather gives: digits, a colon, and letters",
  },
  {
    name: "TELEGRAM_WEBHOOK_SECRET",
    pattern: /^[\w-]{0,256}$/,
    words: "at most 256 characters of A-Z a-z 0-9 _ -",
  },
  {
    name: "TELEGRAM_ALLOWED_USERS",
    pattern: /^(?:\*|-?\d+|[,\s])*$/,
    words: "ids separated by commas, or *",
  },
] as const;

export async function readSettings(file: string): Promise<Settings> {
  const text = await readOptional(file);
  const fromFile = parseEnv(text);
  for (const complaint of complaintsAbout(text, Object.keys(fromFile)))
    console.error(`${file}: ${complaint}`);
  const all = Object.keys(VARIABLES).map((name) => [name, process.env[name] ?? fromFile[name]]);
  const settings: Settings = Object.fromEntries(
    all.filter(([, value]) => value !== undefined && value !== ""),
  );
  const faults = SHAPES.filter(({ name, pattern }) => !pattern.test(settings[name] ?? "")).map(
    ({ name, words }) => `${name} must be ${words}.`,
  );
  const { AI_GATEWAY_ACCOUNT_ID: account, AI_GATEWAY_ID: gateway } = settings;
  if ((account === undefined) !== (gateway === undefined))
    faults.push("AI_GATEWAY_ACCOUNT_ID and AI_GATEWAY_ID go together: set both, or neither.");
  if (faults.length > 0) throw new Error(faults.join("\n"));
  const [botId] = settings.TELEGRAM_BOT_TOKEN?.split(":") ?? [];
  return botId === undefined ? settings : { TELEGRAM_BOT_ID: botId, ...settings };
}

async function readOptional(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

/** What would otherwise be ignored in silence: a misspelt name, a line that says nothing. */
function complaintsAbout(text: string, names: readonly string[]): string[] {
  const known = Object.keys(VARIABLES);
  const unknown = names.filter((name) => !known.includes(name));
  const mute = text
    .split("\n")
    .flatMap((line, index) => (/^\s*($|#|export\s|[\w.-]+\s*=)/.test(line) ? [] : [index + 1]));
  return [
    ...unknown.map((name) => `${name} is not a variable of Errand. They are: ${known.join(", ")}.`),
    ...mute.map((line) => `line ${line} is not NAME=value, so it is ignored.`),
  ];
}

/** The settings of one Worker: its variables and secrets. */
export function varsOf(worker: WorkerName, settings: Settings): Record<string, string> {
  const needed: readonly (readonly [string, readonly WorkerName[]])[] = Object.entries(VARIABLES);
  return Object.fromEntries(
    Object.entries(settings).filter(([name]) =>
      needed.some(([variable, workers]) => variable === name && workers.includes(worker)),
    ),
  );
}
