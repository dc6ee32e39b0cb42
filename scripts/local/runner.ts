/** The runner in a process of its own, with a watchdog: an endless loop freezes that process, and nothing else. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Timings } from "../../shared/limits.ts";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { forget } from "./registry.ts";

const NAME = "errand-runner";
const LOOK_EVERY_MS = 500;
/** Beyond the time that code may take: its caller gives up one second after that, and must do so first. */
const FROZEN_AFTER_MS = 2_000;
const STARTS_MS_MIN = 1_000;

export interface RunnerOptions {
  port: number;
  state: string;
  registry: string;
  timings: Timings;
}

export async function startRunner({ port, state, registry, timings }: RunnerOptions) {
  const frozenAfterMs = timings.code_wall_ms + FROZEN_AFTER_MS;
  const stopped = new AbortController();
  let server: DevServer | null = null;
  let exited = false;

  const begin = async () => {
    await forget(registry, NAME);
    exited = false;
    server = await startDevServer({
      configs: ["wrangler/runner.jsonc"],
      port,
      state: `${state}/runner`,
      registry,
      args: ["--var", "ONE_AT_A_TIME:true"],
      onExit: () => (exited = true),
    });
  };

  const watch = async () => {
    let aliveAt = Date.now();
    while (!stopped.signal.aborted) {
      await sleep(LOOK_EVERY_MS);
      if (!exited && (await isAlive(port, frozenAfterMs))) aliveAt = Date.now();
      if (stopped.signal.aborted || (!exited && Date.now() - aliveAt < frozenAfterMs)) continue;
      console.log(
        JSON.stringify({
          timestamp: new Date().toISOString(),
          level: "warn",
          stage: "runner",
          effect: "restarted",
        }),
      );
      server?.kill();
      await sleep(STARTS_MS_MIN);
      await begin().catch((error: unknown) => console.error(error instanceof Error ? error.message : error));
      aliveAt = Date.now();
    }
  };

  await begin();
  const watching = watch();
  return {
    async stop(): Promise<void> {
      stopped.abort();
      await Promise.all([server?.stop(), watching]);
    },
  };
}

async function isAlive(port: number, withinMs: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(withinMs) });
    return response.ok;
  } catch {
    return false;
  }
}
