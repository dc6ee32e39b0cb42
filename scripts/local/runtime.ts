/** Everything that runs on one machine: one workerd for all Workers, and one for the runner, joined in this process. */
import { bundleAll } from "../installation/bundle.ts";
import { type Caretaker, CARETAKER_MAIN, makeCaretaker } from "./caretaker.ts";
import { LocalRunner } from "./runner.ts";
import type { WorkerConfig } from "../installation/worker-config.ts";
import { makeWorkerOptions } from "./worker-options.ts";
import { type BundledWorker, startWorkerd, type Workerd, type WorkerdOptions } from "./workerd.ts";

interface RuntimeWorker {
  config: WorkerConfig;
  /** Its variables and secrets; nobody else sees them. */
  vars: Readonly<Record<string, string>>;
  /** Who is asked in place of the Internet, for tests. */
  outbound?: Outbound;
}

export type Outbound = NonNullable<BundledWorker["outboundService"]>;

export interface RuntimeOptions extends Omit<WorkerdOptions, "workers"> {
  /** The first one answers at the door. */
  workers: readonly RuntimeWorker[];
  /** In a workerd of its own; the others call it as the service of that name. */
  runner?: RuntimeWorker;
  /** The Workers are bundled: the longest part is done. */
  onBundled?: () => void;
}

export type Runtime = Workerd & Caretaker;

/** Resolves when it takes requests. */
export async function startRuntime({
  workers,
  runner,
  onBundled,
  ...options
}: RuntimeOptions): Promise<Runtime> {
  const all = runner === undefined ? workers : [...workers, runner];
  const mains = [CARETAKER_MAIN, ...all.map(({ config }) => config.main)];
  // Miniflare is loaded meanwhile.
  const [[script = "", ...scripts]] = await Promise.all([bundleAll(mains), import("miniflare")]);
  onBundled?.();
  const bundled = all.map(({ config, vars, outbound }, index): BundledWorker => {
    const own = scripts[index] ?? "";
    const made = makeWorkerOptions(config, vars, own);
    return { ...made, ...(outbound !== undefined && { outboundService: outbound }), script: own };
  });
  const last = bundled.at(-1);
  if (runner === undefined || last === undefined) return startMain(bundled, script, options);

  const localRunner = new LocalRunner(last, options.onLine);
  const others = bundled.slice(0, -1).map((worker) => joined(worker, runner.config.name, localRunner));
  try {
    const [main] = await Promise.all([startMain(others, script, options), localRunner.ready()]);
    const stop = async () => {
      await Promise.all([main.stop(), localRunner.stop()]);
    };
    return { ...main, stop };
  } catch (error) {
    await localRunner.stop();
    throw error;
  }
}

/** The Workers with their caretaker. */
async function startMain(
  workers: readonly BundledWorker[],
  script: string,
  options: Omit<WorkerdOptions, "workers">,
): Promise<Runtime> {
  const caretaker = makeCaretaker(script, workers);
  const main = await startWorkerd({ ...options, workers: [...workers, caretaker.worker] });
  return { ...main, ...caretaker.speak((...asked) => main.ask(...asked)) };
}

/** The Worker, whose bindings to that service call the runner. */
function joined(worker: BundledWorker, service: string, runner: LocalRunner): BundledWorker {
  const serviceBindings = Object.entries(worker.serviceBindings ?? {}).map(([binding, bound]) => [
    binding,
    bound === service ? { node: runner.serve.bind(runner) } : bound,
  ]);
  return { ...worker, serviceBindings: Object.fromEntries(serviceBindings) };
}
