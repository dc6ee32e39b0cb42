/** `npm start`: the whole pipeline on this machine, on real workerd. `npm start -- --help` lists the options. */
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeError } from "../shared/errors.ts";
import { banner } from "./local/banner.ts";
import { type Errand, startErrand } from "./local/errand.ts";
import { freePorts } from "./local/ports.ts";
import { readSettings } from "./installation/settings.ts";

const USAGE = `Usage: npm start -- [--port 8787] [--state .errand] [--explorer] [--inspect]
  --port      where it is reached on this machine
  --state     the folder that keeps everything
  --explorer  Cloudflare's local explorer, on a port of its own: who reaches it reads and changes everything
  --inspect   workerd's inspector, on a port of its own: the same`;

/** After this nobody waits for a clean end any more. */
const STOP_MS_MAX = 4_000;
const PARENT_EVERY_MS = 250;
/** What our own Workers print; the rest is the runtime's. */
const LOG_LINE = '{"timestamp"';

const begun = performance.now();
const options = readOptions();
let errand: Errand | null = null;
let stopping = false;

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(code), STOP_MS_MAX).unref();
  await errand?.stop();
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
  await start();
} catch (error) {
  if (!stopping) console.error(describeError(error));
  await stop(1);
}

async function start(): Promise<void> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`--port must be 1 to 65535, not ${options.port}.`);
  const [explorer = 0, inspector = 0] = await freePorts(2);
  const tools = { ...(options.explorer && { explorer }), ...(options.inspect && { inspector }) };
  let file: WriteStream | null = null;
  errand = await startErrand({
    port,
    state: options.state,
    settings: await readSettings(".dev.vars"),
    tools,
    say: (words) => console.log(`${((performance.now() - begun) / 1_000).toFixed(1)} s  ${words}`),
    onLine(line) {
      file ??= createWriteStream(join(options.state, "runtime.log"), { flags: "a" });
      if (line.startsWith(LOG_LINE)) console.log(line);
      else file.write(`${line}\n`);
    },
  });
  console.log(banner({ ...errand, state: options.state, tools }));
  console.log(`ready ${errand.url}`);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: "8787" },
        state: { type: "string", default: ".errand" },
        explorer: { type: "boolean", default: false },
        inspect: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (!values.help) return values;
    console.log(USAGE);
    return process.exit(0);
  } catch (error) {
    console.error(`${describeError(error)}\n${USAGE}`);
    return process.exit(1);
  }
}
