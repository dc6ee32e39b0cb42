/** wrangler, which does every write: each command a process of its own, whose outcome is read from the events that it writes down, not from its words. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import { VARIABLES } from "../installation/settings.ts";

/** Its package exports no path to it. */
const WRANGLER = fileURLToPath(import.meta.resolve("../../node_modules/wrangler/bin/wrangler.js"));
const RUN_MS_MAX = 600_000;
const TRIES_MAX = 3;
const WAIT_MS_MAX = 30_000;
const OUTPUT_CHARS_MAX = 2_000;
/** Too many requests, and faults of Cloudflare's own, beside those that say by themselves when to come again. */
const PASSING = new Set([429, 971, 10_013, 10_429]);
const UNREACHED = /fetch failed|ECONNRE|ETIMEDOUT|EAI_AGAIN|socket hang up/;

const Event = z.looseObject({
  type: z.string(),
  code: z.nullish(z.union([z.number(), z.string()])),
  message: z.nullish(z.string()),
  retry_after_ms: z.nullish(z.number()),
  version_id: z.nullish(z.string()),
});
type Event = z.infer<typeof Event>;

interface WranglerResult {
  readonly stdout: string;
  /** Of `deploy`: the version that is live now; null when it was not deployed. */
  readonly versionId: string | null;
}

export interface Wrangler {
  /** Runs a command. Throws a WranglerError when it fails. */
  run(args: readonly string[]): Promise<WranglerResult>;
}

export class WranglerError extends Error {
  override readonly name = "WranglerError";
  /** The API's; 0: wrangler itself refused. */
  readonly code: number;
  readonly retryAfterMs: number | null;
  constructor(message: string, code: number, retryAfterMs: number | null = null) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The wrangler of this project. Whatever passes by itself is tried again: every command that is given to it may be repeated. */
export function makeWrangler(account: { id: string; token: string | null }): Wrangler {
  const environment = makeEnvironment(account);
  return {
    async run(args) {
      for (let tries = 1; ; tries++) {
        try {
          return await runOnce(args, environment);
        } catch (error) {
          if (!(error instanceof WranglerError) || !isPassing(error) || tries === TRIES_MAX) throw error;
          await sleep(Math.min(error.retryAfterMs ?? tries * 2_000, WAIT_MS_MAX));
        }
      }
    },
  };
}

function isPassing({ code, message, retryAfterMs }: WranglerError): boolean {
  return retryAfterMs !== null || PASSING.has(code) || UNREACHED.test(message);
}

async function runOnce(args: readonly string[], env: NodeJS.ProcessEnv): Promise<WranglerResult> {
  const folder = await mkdtemp(join(tmpdir(), "errand-wrangler-"));
  try {
    const output = join(folder, "events.ndjson");
    const child = spawn(process.execPath, [WRANGLER, ...args], {
      env: { ...env, WRANGLER_OUTPUT_FILE_PATH: output },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: RUN_MS_MAX,
    });
    const ended = new Promise<number | null>((resolve, reject) =>
      child.on("close", resolve).on("error", reject),
    );
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    const events = readEvents(await readFile(output, "utf8").catch(() => ""));
    if (code === null)
      throw new WranglerError(
        `wrangler ${args.slice(0, 2).join(" ")} was ended after ${RUN_MS_MAX / 60_000} minutes.`,
        0,
      );
    if (code !== 0) throw makeError(events, `${stdout}\n${stderr}`);
    const deployed = events.find(({ type }) => type === "deploy");
    return { stdout, versionId: deployed?.version_id ?? null };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the API said: its own words stand in the output only, each with its code; the event has the request's path. */
const SAID = /^\s*(.+?)\s*\[code: (\d+)\]/gm;
const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

/** The failure that a run has ended with. `output`: what it wrote for people. */
export function makeError(events: readonly Event[], output: string): WranglerError {
  const failed = events.findLast(({ type }) => type === "command-failed");
  const printed = output.replaceAll(ESCAPES, "").trim();
  const said = [...printed.matchAll(SAID)].map(([, words = "", code = "0"]) => ({
    words,
    code: Number(code),
  }));
  const own = (failed?.message ?? "").replaceAll(ESCAPES, "");
  const words = said.map((one) => one.words).join("\n");
  const message = words || own || printed.slice(-OUTPUT_CHARS_MAX);
  const code = Number(failed?.code ?? 0) || (said[0]?.code ?? 0);
  return new WranglerError(message, code, failed?.retry_after_ms ?? null);
}

function readEvents(lines: string): Event[] {
  return lines.split("\n").flatMap((line) => {
    if (line === "") return [];
    const parsed = Event.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  });
}

/** Nobody is asked, nothing is reported, and nothing that renames or redirects a deploy comes in from outside. */
function makeEnvironment({ id, token }: { id: string; token: string | null }): NodeJS.ProcessEnv {
  const ours = new Set(VARIABLES.map(({ name }) => name));
  const inherited = Object.entries(process.env).filter(
    ([name]) => !ours.has(name) && !name.startsWith("WRANGLER_CI_") && name !== "CLOUDFLARE_ENV",
  );
  return {
    ...Object.fromEntries(inherited),
    CI: "1",
    NO_COLOR: "1",
    FORCE_COLOR: "0",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true",
    // Its own log files would lie in the home folder of whoever deploys.
    WRANGLER_WRITE_LOGS: "false",
    ...(id !== "" && { CLOUDFLARE_ACCOUNT_ID: id }),
    ...(token !== null && { CLOUDFLARE_API_TOKEN: token }),
  };
}
