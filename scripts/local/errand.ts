/** Errand on this machine: its state, its Workers, its database and its clock, started one after the other and ended in reverse. */
import { join, resolve } from "node:path";
import { readTimings } from "../../shared/config.ts";
import { describeError } from "../../shared/errors.ts";
import { WORKERS } from "../../shared/variables.ts";
import { sha256Hex } from "../../shared/ids.ts";
import { log } from "../../shared/log.ts";
import { startClock } from "./clock.ts";
import { bindHands, hasHands, withoutHands } from "../installation/hands.ts";
import { findSettings } from "../installation/find/index.ts";
import { findEngine, type FoundEngine } from "./engine/find.ts";
import { lockState } from "./lock.ts";
import { assertFree } from "./ports.ts";
import { type Runtime, startRuntime } from "./runtime.ts";
import { type Settings, selectVars } from "../installation/settings.ts";
import {
  clearState,
  closeToOthers,
  type LocalKey,
  localKey,
  openState,
  prepareDatabase,
  tellCommands,
} from "./state.ts";
import { readWorkerConfig } from "../installation/worker-config.ts";
import type { WorkerdOptions } from "./workerd.ts";

/** A run that was killed a moment ago may still be letting go of its port. */
const PORT_FREE_MS_MAX = 2_000;
const INGRESS = "errand-ingress";
const NOTIFIER = "errand-notifier";
const SWEEP_EVERY_MS = 3_000;
/** As on Cloudflare. */
const WATCH_EVERY_MS = 60_000;

export interface ErrandOptions extends Pick<WorkerdOptions, "onLine" | "tools"> {
  port: number;
  state: string;
  /** As people give them; what this machine can find out by itself is added. */
  settings: Settings;
  /** Told of each part as it comes. */
  say: (words: string) => void;
}

export interface Errand {
  url: string;
  key: LocalKey;
  settings: Settings;
  /** Where scripts run, for people. */
  scripts: string;
  stop(): Promise<void>;
}

/** Resolves when it takes requests. Rejects in words, with nothing left running. */
export async function startErrand(options: ErrandOptions): Promise<Errand> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    // The lock goes last: when nothing uses the state any more.
    for (const end of stops.splice(0).toReversed()) await end().catch(() => undefined);
  };
  try {
    return { ...(await start(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: ErrandOptions, stops: (() => Promise<void>)[]): Promise<Omit<Errand, "stop">> {
  const { port, say } = options;
  const state = resolve(options.state);
  await openState(state);
  const lock = await lockState(state);
  stops.push(() => lock.release());
  await assertFree(port, lock.wasHeld ? PORT_FREE_MS_MAX : 0);
  readTimings(options.settings);
  say("Errand starts …");
  const temporary = await clearState(state);
  process.env["TMPDIR"] = temporary;

  const key = await localKey(state);
  const found = await findSettings(options.settings);
  const containers = await findContainers(found, join(temporary, "engine"));
  const { settings, engine, scripts } = containers;
  if (engine !== null) stops.push(() => engine.stop());
  const main = await startWorkers({ ...options, state, settings }, key, engine);
  stops.push(() => main.stop());
  say("The Workers run.");
  await prepareDatabase(main, key.apiKey);
  await closeToOthers(state);
  say("The database is ready.");
  const sweep = startClock(() => main.ring(INGRESS), SWEEP_EVERY_MS);
  stops.push(() => sweep.stop());
  const watch = startClock(() => main.ring(NOTIFIER), WATCH_EVERY_MS);
  stops.push(() => watch.stop());
  const url = `http://127.0.0.1:${port}`;
  await tellCommands(state, { url, apiKey: key.apiKey });
  return { url, key, settings, scripts };
}

/** What runs containers, where they are chosen; where that cannot be had, the settings are as though they were not. */
async function findContainers(settings: Settings, folder: string) {
  const embedded = "in isolates, too";
  if (!hasHands(settings)) return { settings, engine: null, scripts: embedded };
  const engine = await findEngine(folder);
  if (typeof engine !== "string") return { settings, engine, scripts: `in containers: ${engine.name}` };
  return {
    settings: withoutHands(settings),
    engine: null,
    scripts: `${embedded}: there are no containers (${engine})`,
  };
}

async function startWorkers(
  { state, port, settings, say, onLine, tools = {} }: ErrandOptions,
  { apiKey }: LocalKey,
  engine: FoundEngine | null,
): Promise<Runtime> {
  const ERRAND_LINK_SECRET = await sha256Hex(`links of ${apiKey}`);
  const readConfig = async (name: string) => {
    const config = await readWorkerConfig(name);
    return engine === null ? config : bindHands(config);
  };
  const hands =
    engine === null
      ? []
      : [
          {
            config: await readWorkerConfig("hands"),
            vars: { ...(engine.hasTools && { ERRAND_TOOLCHAIN: "" }), ...selectVars("hands", settings) },
          },
        ];
  const workers = WORKERS.map(async (name) => ({
    config: await readConfig(name),
    vars: selectVars(name, { ERRAND_LINK_SECRET, ...settings }),
  }));
  // It had claims and doorbells in its memory, as a process that was killed.
  const prepareAgain = () => prepareDatabase(main, apiKey);
  const main: Runtime = await startRuntime({
    workers: [...(await Promise.all(workers)), ...hands],
    ...(engine !== null && { engine: engine.socket }),
    runner: { config: await readWorkerConfig("runner"), vars: {} },
    door: port,
    // A version before let `wrangler dev` keep the state, which does so one folder below the one it is given.
    folder: join(state, "v3"),
    tools,
    onLine,
    onBundled: () => say("The Workers are bundled."),
    onRestart: () => {
      prepareAgain().catch((error: unknown) => {
        log("error", { stage: "executor", effect: "restarted", detail: describeError(error) });
      });
    },
  });
  return main;
}
