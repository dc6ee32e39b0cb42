/** Everything that runs on one machine: one workerd for all Workers, and one for the runner, joined in this process. */
import { bundleAll } from "../installation/bundle.ts";
import { LocalRunner } from "./runner.ts";
import type { WorkerConfig } from "../installation/worker-config.ts";
import { makeWorkerOptions } from "./worker-options.ts";
import { type BundledWorker, startWorkerd, type Workerd, type WorkerdOptions } from "./workerd.ts";

interface RuntimeWorker {
  config: WorkerConfig;
  /** Its variables and secrets; nobody else sees them. */
  vars: Readonly<Record<string, string>>;
}

export interface RuntimeOptions extends Omit<WorkerdOptions, "workers"> {
  /** The first one answers at the door. */
  workers: readonly RuntimeWorker[];
  /** In a workerd of its own; the others call it as the service of that name. */
  runner?: RuntimeWorker;
  /** The Workers are bundled: the longest part is done. */
  onBundled?: () => void;
}

/** Resolves when it takes requests. */
export async function startRuntime({
  workers,
  runner,
  onBundled,
  ...options
}: RuntimeOptions): Promise<Workerd> {
  const all = runner === undefined ? workers : [...workers, runner];
  // Miniflare is loaded meanwhile.
  const [scripts] = await Promise.all([bundleAll(all.map(({ config }) => config.main)), import("miniflare")]);
  onBundled?.();
  const bundled = all.map(({ config, vars }, index): BundledWorker => {
    const script = scripts[index] ?? "";
    return { ...makeWorkerOptions(config, vars, script), script };
  });
  const last = bundled.at(-1);
  if (runner === undefined || last === undefined) return startWorkerd({ ...options, workers: bundled });

  const localRunner = new LocalRunner(last, options.onLine);
  const others = bundled.slice(0, -1).map((worker) => joined(worker, runner.config.name, localRunner));
  try {
    const [main] = await Promise.all([startWorkerd({ ...options, workers: others }), localRunner.ready()]);
    const stop = async () => {
      await Promise.all([main.stop(), localRunner.stop()]);
    };
    return { ...main, stop };
  } catch (error) {
    await localRunner.stop();
    throw error;
  }
}

/** The Worker, whose bindings to that service call the runner. */
function joined(worker: BundledWorker, service: string, runner: LocalRunner): BundledWorker {
  const serviceBindings = Object.entries(worker.serviceBindings ?? {}).map(([binding, bound]) => [
    binding,
    bound === service ? { node: runner.serve.bind(runner) } : bound,
  ]);
  return { ...worker, serviceBindings: Object.fromEntries(serviceBindings) };
}
