/** One workerd with Workers in it, through miniflare. Nobody gets in but by its door. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type * as MiniflareModule from "miniflare";
import type { Miniflare, MiniflareOptions, V4WorkerOptionsShape } from "miniflare";

/** The path of the program, as its package tells it; it has no types. */
const { default: WORKERD }: { default: string } = createRequire(import.meta.url)("workerd");

/** The Worker, in one module. */
export type BundledWorker = V4WorkerOptionsShape & { script: string };

export interface WorkerdOptions {
  /** The first one answers at the door. */
  workers: readonly BundledWorker[];
  /** The port of the door on 127.0.0.1; 0 for any. Without it there is none. */
  door?: number;
  /** Where it keeps its state. Without it, that is forgotten. */
  folder?: string;
  /** The socket of what runs containers: Docker, or the engine of this project. */
  engine?: string;
  /** A line that a Worker, or the runtime itself, has printed. */
  onLine: (line: string) => void;
  /** It broke down, and runs again: what it had in memory is gone. */
  onRestart?: () => void;
  /** Ports of the runtime's own tools. Whoever reaches them may read and change everything. */
  tools?: { explorer?: number; inspector?: number };
}

type Fetch = Awaited<ReturnType<Miniflare["getWorker"]>>["fetch"];

export interface Workerd {
  /** The door's. */
  url: string;
  /** Calls a Worker's `fetch`, past the door. The first call blocks for a moment: only while nobody else is in there. */
  fetch(worker: string, ...request: Parameters<Fetch>): ReturnType<Fetch>;
  /** Asks a Worker in JSON, and never blocks: see caretaker.ts. Throws what the Worker throws. */
  ask(worker: string, authorization: string, body: unknown): Promise<unknown>;
  /** Ends it at once, also when it hears nothing any more. */
  stop(): Promise<void>;
}

/**
 * Miniflare has a socket of its own beside the door, which serves its simulator: anybody's files by `/cdn-cgi/…`, and every
 * Worker by a header. Whoever comes in there finds each path moved below this one, where there is nothing.
 */
const NOWHERE = "http://nowhere.invalid/nothing/";
/** Ten times what a slow and busy machine takes. */
const READY_MS_MAX = 100_000;
const NOT_READY = `The runtime has not started within ${READY_MS_MAX / 1_000} s. Is one of its ports in use? Start it again.`;
/** A clock's work is done in seconds, however much there is of it. */
const ASK_MS_MAX = 100_000;
/** By this header miniflare's own socket leads to a Worker. */
const WORKER_HEADER = "MF-Route-Override";

/** Resolves when it takes requests. Rejects when it cannot, in the runtime's own words. */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const miniflare = await import("miniflare");
  process.env["MINIFLARE_WORKERD_PATH"] = fileURLToPath(import.meta.resolve("./workerd.sh"));
  process.env["ERRAND_WORKERD"] = WORKERD;
  const runtime = withoutItsSignals(() => new miniflare.Miniflare(describe(miniflare, options)));
  try {
    await withinTime(runtime.ready, READY_MS_MAX, NOT_READY);
    return {
      url: options.door === undefined ? "" : (await runtime.unsafeGetDirectURL()).origin,
      fetch: async (worker, ...request) => (await runtime.getWorker(worker)).fetch(...request),
      ask: async (worker, authorization, body) => {
        const headers = { [WORKER_HEADER]: worker, authorization };
        const request = { method: "POST", headers, body: JSON.stringify(body) };
        const asked = runtime.dispatchFetch("http://localhost/", request);
        const words = `The ${worker} has not answered within ${ASK_MS_MAX / 1_000} s. Start it again.`;
        const response = await withinTime(asked, ASK_MS_MAX, words);
        const text = await response.text();
        if (!response.ok) throw new Error(`${worker} answered ${response.status}: ${text}`);
        return JSON.parse(text);
      },
      stop: () => runtime.dispose(),
    };
  } catch (error) {
    // Not waited for: it would wait itself until the runtime is ready. workerd ends with this process.
    runtime.dispose().catch(() => undefined);
    throw error;
  }
}

/** Miniflare waits for ever where a port of its tools is somebody else's. */
async function withinTime<Done>(done: Promise<Done>, withinMs: number, words: string): Promise<Done> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(words)), withinMs);
  try {
    return await Promise.race([done, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(
  { convertV4MiniflareOptions, Log, LogLevel }: typeof MiniflareModule,
  { workers, door, folder, engine, onLine, onRestart, tools = {} }: WorkerdOptions,
): MiniflareOptions {
  class LineLog extends Log {
    protected override log(message: string): void {
      onLine(message);
    }
  }
  const doors = door === undefined ? [] : [{ host: "127.0.0.1", port: door }];
  return convertV4MiniflareOptions({
    workers: workers.map(({ script, ...worker }, index) => ({
      ...worker,
      modules: [{ type: "ESModule", path: `${worker.name ?? "worker"}.js`, contents: script }],
      unsafeDirectSockets: index === 0 ? doors : [],
    })),
    host: "127.0.0.1",
    port: tools.explorer ?? 0,
    ...(tools.explorer === undefined && { upstream: NOWHERE }),
    ...(tools.inspector !== undefined && { inspectorPort: tools.inspector }),
    unsafeLocalExplorer: tools.explorer !== undefined,
    // Traces keep every URL on disk, and Telegram's token is part of each.
    unsafeObservability: false,
    cf: false,
    logRequests: false,
    log: new LineLog(LogLevel.WARN),
    handleStructuredLogs: ({ message }) => onLine(message),
    ...(onRestart && { unsafeHandleRuntimeRestart: onRestart }),
    ...(folder !== undefined && { resourcePersistencePath: folder }),
    ...(engine !== undefined && { containerEngine: `unix://${engine}` }),
  });
}

/** On a signal miniflare would end this process at once, before whoever started it has ended things in their order. */
function withoutItsSignals<Made>(make: () => Made): Made {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)));
  const made = make();
  for (const signal of signals) {
    for (const listener of process.listeners(signal))
      if (!before.has(listener)) process.off(signal, listener);
  }
  return made;
}
