/** `npm start`: the whole pipeline on this machine, on real workerd. `npm start -- --port 8787 --state .errand` */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { timingsOf } from "../shared/config.ts";
import { sha256Hex } from "../shared/ids.ts";
import { banner } from "./local/banner.ts";
import { withBotName } from "./local/bot-name.ts";
import { startClock } from "./local/clock.ts";
import { writeConfigs } from "./local/configs.ts";
import { type DevServer, startDevServer } from "./local/dev-server.ts";
import { lockState } from "./local/lock.ts";
import { withLocalModel } from "./local/ollama.ts";
import { assertFree, freePort } from "./local/ports.ts";
import { freshRegistry } from "./local/registry.ts";
import { startRunner } from "./local/runner.ts";
import { readSettings } from "./local/settings.ts";
import { prepareState } from "./local/state.ts";

/** After this nobody waits for a clean end any more. */
const STOP_MS_MAX = 4_000;
const PARENT_EVERY_MS = 500;

const values = readOptions();

const stops: (() => Promise<void>)[] = [];
let stopping = false;

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(code), STOP_MS_MAX).unref();
  await Promise.allSettled(stops.map((end) => end()));
  process.exit(code);
}

// npm may be killed without a word; who is left would hold the port.
const parent = process.ppid;
const orphaned = () => process.env["npm_lifecycle_event"] === "start" && process.ppid !== parent;
setInterval(() => {
  if (orphaned()) void stop(0);
}, PARENT_EVERY_MS).unref();

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop(0));

try {
  await start(Number(values.port), resolve(values.state));
} catch (error) {
  if (!stopping) console.error(error instanceof Error ? error.message : error);
  await stop(1);
}

async function start(port: number, state: string): Promise<void> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`--port must be 1 to 65535, not ${values.port}.`);
  await assertFree(port);
  const settings = await withBotName(await withLocalModel(await readSettings(".dev.vars")));
  const timings = timingsOf(settings);
  // What people say is in it, and their secrets.
  await mkdir(state, { recursive: true, mode: 0o700 });
  stops.push(await lockState(state));
  const registry = await freshRegistry(state);
  const [runner, apiKey] = await Promise.all([
    startRunner({ port: await freePort(), state, registry, timings }),
    prepareState(state),
  ]);
  const ERRAND_LINK_SECRET = await sha256Hex(`links of ${apiKey}`);
  const configs = await writeConfigs(state, { ERRAND_LINK_SECRET, ...settings });
  stops.push(() => runner.stop());
  if (stopping) return;
  const main: DevServer = await startDevServer({
    configs,
    port,
    state,
    registry,
    args: [],
    onExit: () => void stop(1),
  });
  stops.push(() => main.stop());
  const url = `http://127.0.0.1:${port}`;
  const clock = startClock(url);
  stops.push(() => clock.stop());
  const local = resolve(state, "local.json");
  await writeFile(`${local}.new`, `${JSON.stringify({ url, apiKey }, null, 2)}\n`, { mode: 0o600 });
  await rename(`${local}.new`, local);
  console.log(banner({ url, apiKey, state: values.state, settings }));
  console.log(`ready ${url}`);
}

function readOptions(): { port: string; state: string } {
  try {
    const { values: given } = parseArgs({
      options: { port: { type: "string", default: "8787" }, state: { type: "string", default: ".errand" } },
    });
    return given;
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\nUsage: npm start -- [--port 8787] [--state .errand]`,
    );
    return process.exit(1);
  }
}
