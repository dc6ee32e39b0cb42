/** How long a start takes and what it takes while nothing is to do: of `npm start`, and of the floor on the same runtime. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../scripts/local/ports.ts";
import { treeOf } from "../test/support/process-tree.ts";
import { sharedMemoryMibOf } from "./processes.ts";
import { round } from "./stats.ts";

const ROUNDS = 3;
/** What is idle after this is idle. */
const IDLE_AFTER_MS = 8_000;

export interface Start {
  what: string;
  /** Seconds until it takes requests: the median. */
  readySeconds: number;
  /** MiB over all its processes, npm among them (PSS): the median. Null where it was not asked for. */
  idleMib: number | null;
}

type Launch = () => ChildProcess;

export async function measureStarts(): Promise<Start[]> {
  const state = join(await mkdtemp(join(tmpdir(), "errand-bench-")), "state");
  const port = String(await freePort());
  const ours: Launch = () =>
    spawn("npm", ["start", "--", "--port", port, "--state", state], {
      // Nobody is there: a model of this machine has nothing to do with it.
      env: { ...process.env, OLLAMA_HOST: "127.0.0.1:1" },
      stdio: ["ignore", "pipe", "inherit"],
    });
  const floor: Launch = () =>
    spawn(process.execPath, ["bench/floor-start.ts"], { stdio: ["ignore", "pipe", "inherit"] });
  const emptied = () => rm(state, { recursive: true, force: true, maxRetries: 5 });
  const unbundled = async () => {
    await emptied();
    await rm("node_modules/.cache/errand", { recursive: true, force: true });
  };
  try {
    return [
      await measure("the first after npm ci: no bundles, no state", ours, unbundled, false),
      await measure("on an empty state", ours, emptied, false),
      await measure("on a known state", ours, () => Promise.resolve(), true),
      await measure("the floor", floor, () => Promise.resolve(), true),
    ];
  } finally {
    await emptied();
  }
}

async function measure(
  what: string,
  launch: Launch,
  prepare: () => Promise<void>,
  idles: boolean,
): Promise<Start> {
  const seconds: number[] = [];
  const mib: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    await prepare();
    const begun = performance.now();
    const child = launch();
    await readyLine(child);
    seconds.push((performance.now() - begun) / 1_000);
    if (idles) {
      await sleep(IDLE_AFTER_MS);
      mib.push(sharedMemoryMibOf(treeOf(child.pid ?? 0)));
    }
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  return { what, readySeconds: medianOf(seconds), idleMib: idles ? medianOf(mib) : null };
}

async function readyLine({ stdout }: ChildProcess): Promise<void> {
  if (stdout === null) return;
  for await (const line of createInterface({ input: stdout })) if (line.startsWith("ready")) break;
  stdout.resume();
}

function medianOf(values: readonly number[]): number {
  return round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}
