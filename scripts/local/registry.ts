/** The folder through which two `wrangler dev` processes find each other. Each run has its own: others' Workers are none of its business. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

const PREFIX = "registry-";

export async function freshRegistry(state: string): Promise<string> {
  const left = (await readdir(state)).filter((name) => name.startsWith(PREFIX));
  await Promise.all(left.map((name) => rm(join(state, name), { recursive: true, force: true })));
  const registry = join(state, `${PREFIX}${process.pid}`);
  await mkdir(registry);
  return registry;
}

/** A dead process's entry keeps its successor from registering. */
export async function forget(registry: string, worker: string): Promise<void> {
  await rm(join(registry, worker), { force: true });
}
