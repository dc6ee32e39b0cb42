/** Errand as a person starts it: `npm start` in a process group of its own, on a state of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertFree } from "../../scripts/local/ports.ts";
import { WEBHOOK_SECRET } from "./pipeline.ts";
import { TelegramServer } from "../../fakes/telegram-server.ts";
import { until } from "./until.ts";

const READY_MS_MAX = 120_000;

/** Below those that the kernel gives to whoever asks for any: a port must still be free when it is started again. Each worker has its own. */
const PORTS_FROM = 20_000;
const PORTS_PER_WORKER = 500;
let portsTaken = 0;

async function takePort(): Promise<number> {
  const worker = Number(process.env["VITEST_POOL_ID"] ?? 0);
  for (let tried = 0; tried < PORTS_PER_WORKER; tried++) {
    const port = PORTS_FROM + worker * PORTS_PER_WORKER + (portsTaken++ % PORTS_PER_WORKER);
    const isFree = await assertFree(port, 0).then(
      () => true,
      () => false,
    );
    if (isFree) return port;
  }
  throw new Error("This machine has no free port for an installation.");
}

export interface Running {
  /** npm's: everything else is below it. */
  pid: number;
  url: string;
  apiKey: string;
  output(): string;
  /** Resolves with the exit code once it has ended. */
  exited: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** The whole process group, at once. */
  killGroup(): void;
}

/** @param folder where it is installed: the project itself, or a workbench. */
export async function install(folder = process.cwd()) {
  const state = await mkdtemp(join(tmpdir(), "errand-"));
  const port = await takePort();
  const telegram = new TelegramServer();
  const telegramUrl = await telegram.listen();
  const running: ChildProcess[] = [];

  const killGroup = ({ pid }: ChildProcess) => {
    try {
      if (pid !== undefined) process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  };

  return {
    port,
    state,
    telegram,
    /** Starts it, without waiting. */
    spawn(env: Record<string, string> = {}, args: readonly string[] = []) {
      const child = spawn("npm", ["start", "--", "--port", String(port), "--state", state, ...args], {
        cwd: folder,
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          ...process.env,
          TELEGRAM_BOT_TOKEN: telegram.token,
          TELEGRAM_WEBHOOK_SECRET: WEBHOOK_SECRET,
          TELEGRAM_ALLOWED_USERS: "*",
          TELEGRAM_API_BASE: telegramUrl,
          // Over whatever a person's own .dev.vars says.
          ERRAND_TIMINGS: "",
          // Nobody is there: a model of this machine would answer what is to be answered without one.
          OLLAMA_HOST: "127.0.0.1:1",
          ...env,
        },
      });
      running.push(child);
      let text = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk) => (text += String(chunk)));
      const exited = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
      return { child, exited, output: () => text };
    },
    async start(env: Record<string, string> = {}): Promise<Running> {
      const { child, exited, output } = this.spawn(env);
      await until(
        () => {
          if (child.exitCode !== null) throw new Error(`npm start ended:\n${output()}`);
          return /^ready http/m.test(output());
        },
        READY_MS_MAX,
        "npm start to be ready",
      );
      const { url, apiKey } = JSON.parse(await readFile(join(state, "local.json"), "utf8"));
      const signal = (name: NodeJS.Signals) => void child.kill(name);
      return { pid: child.pid ?? 0, url, apiKey, output, exited, signal, killGroup: () => killGroup(child) };
    },
    async remove(): Promise<void> {
      for (const child of running) killGroup(child);
      await telegram.close();
      await rm(state, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
