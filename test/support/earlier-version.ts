/** The Workers of an earlier version, as its archive keeps them, on a state folder that a later one has used. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRuntime } from "../../scripts/local/runtime.ts";
import type { WorkerConfig } from "../../scripts/installation/worker-config.ts";

const RING_EVERY_MS = 500;

/** Starts them, at a port of their own; the database stays as it is. */
export async function startEarlier(state: string, vars: Record<string, string>) {
  const text = await readFile(join(state, "workers.json"), "utf8");
  const archived = JSON.parse(text) as { config: WorkerConfig; code: string }[];
  const folder = await mkdtemp(join(tmpdir(), "errand-earlier-"));
  const workers = await Promise.all(
    archived.map(async ({ config, code }) => {
      const main = join(folder, `${config.name}.js`);
      await writeFile(main, code);
      return { config: { ...config, main }, vars: config.name === "errand-runner" ? {} : vars };
    }),
  );
  const runner = workers.find(({ config }) => config.name === "errand-runner");
  const others = workers.filter((worker) => worker !== runner);
  const lines: string[] = [];
  const runtime = await startRuntime({
    // Ingress answers at the door.
    workers: others.toSorted(
      (a, b) => Number(b.config.name === "errand-ingress") - Number(a.config.name === "errand-ingress"),
    ),
    ...(runner && { runner }),
    door: 0,
    folder: join(state, "v3"),
    onLine: (line) => lines.push(line),
  });
  // As its own start did: what the process before had claimed is free.
  await runtime.expireClaims(Date.now());
  const clock = setInterval(() => void runtime.ring("errand-ingress").catch(() => undefined), RING_EVERY_MS);
  return {
    url: runtime.url,
    lines,
    async stop() {
      clearInterval(clock);
      await runtime.stop();
      await rm(folder, { recursive: true });
    },
  };
}
