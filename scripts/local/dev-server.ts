/** One `wrangler dev` process: started, waited for, stopped. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { killTree } from "./processes.ts";

export interface DevServerOptions {
  /** The first one answers on the port. */
  configs: readonly string[];
  port: number;
  state: string;
  registry: string;
  args: readonly string[];
  /** It ended, and nobody had asked it to. */
  onExit: () => void;
}

export interface DevServer {
  /** Ends it, with everything below it. */
  stop(): Promise<void>;
  /** Kills it, for when it cannot listen any more. */
  kill(): void;
}

/** The command itself: its launcher in node_modules/.bin would be one more process between us and workerd. */
const WRANGLER = fileURLToPath(import.meta.resolve("wrangler"));
const DIE_WITH_PARENT = new URL("die-with-parent.ts", import.meta.url).href;
/** wrangler puts the Worker's name before what a Worker prints, and colours around its warnings. */
const OUR_LOG_LINE = /\{"timestamp".*\}/;
const READY = "Ready on ";
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 2_500;

/** Resolves when the server takes requests. */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  await mkdir(options.state, { recursive: true });
  const child = spawn(process.execPath, argumentsOf(options), {
    stdio: ["ignore", "pipe", "pipe"],
    env: environmentOf(options.registry),
  });
  let asked = false;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = () => {
    asked = true;
    if (child.pid !== undefined && child.exitCode === null) killTree(child.pid);
  };
  const stop = async () => {
    asked = true;
    child.kill("SIGTERM");
    const timer = setTimeout(kill, STOP_MS_MAX);
    await exited;
    clearTimeout(timer);
  };
  try {
    await ready(child, options.state);
  } catch (error) {
    kill();
    throw error;
  }
  void exited.then(() => asked || options.onExit());
  return { stop, kill };
}

function argumentsOf({ configs, port, state, args }: DevServerOptions): string[] {
  const fixed = `--ip 127.0.0.1 --port ${port} --inspector-port 0 --show-interactive-dev-session=false`.split(
    " ",
  );
  const named = configs.flatMap((config) => ["-c", config]);
  return [WRANGLER, "dev", ...named, ...fixed, "--persist-to", state, ...args];
}

function environmentOf(registry: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ERRAND_PARENT_PID: String(process.pid),
    NODE_OPTIONS: `--import ${DIE_WITH_PARENT} --disable-warning=ExperimentalWarning`,
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_HIDE_BANNER: "true",
    // Quieter, it would not say that it is ready.
    WRANGLER_LOG: "log",
    WRANGLER_REGISTRY_PATH: registry,
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_SEND_METRICS: "false",
    // Its traces would keep every URL on disk, and Telegram's token is part of each.
    X_LOCAL_OBSERVABILITY: process.env["X_LOCAL_OBSERVABILITY"] ?? "false",
    CI: "1",
  };
}

/** Passes our log lines on, keeps the rest in a file, and waits until the server says that it is ready. */
function ready(child: ChildProcess, state: string): Promise<void> {
  const file = createWriteStream(join(state, "wrangler.log"), { flags: "a" });
  const last: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${why}\n${last.join("\n")}`));
    const timer = setTimeout(
      () => fail(`wrangler dev was not ready within ${READY_MS_MAX / 1_000} s:`),
      READY_MS_MAX,
    );
    child.once("exit", (code) => fail(`wrangler dev ended (${code}):`));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        const [ours] = OUR_LOG_LINE.exec(line) ?? [];
        if (ours !== undefined) {
          console.log(ours);
          return;
        }
        file.write(`${line}\n`);
        last.push(line);
        if (last.length > 20) last.shift();
        if (!line.includes(READY)) return;
        clearTimeout(timer);
        resolve();
      });
    }
  });
}
