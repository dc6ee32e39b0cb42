/** The Workers' own configurations, as they are and as tests watch them. */
import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { WORKERS as OURS, type WorkerName as OurName } from "../../shared/variables.ts";
import { readWorkerConfig, type WorkerConfig } from "../../scripts/installation/worker-config.ts";

export const WORKERS = [...OURS, "runner"] as const;
export type WorkerName = OurName | "runner";

/** With the entry that asks the control server. The runner has no effects: it is bound to nothing. */
export async function watchedConfig(name: WorkerName): Promise<WorkerConfig> {
  // Signs of life are effects that come with an isolate, and not with a story.
  const { version_metadata: _version, ...config } = await readWorkerConfig(name);
  if (name === "runner") return config;
  const main = resolve(`test/support/entries/${name}.ts`);
  return { ...config, main, compatibility_flags: ["nodejs_als"] };
}

/** A folder to run `npm start` in: the project, by links, but with Workers that the control server watches. */
export async function workbench(controlUrl: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "errand-workbench-"));
  const linked = ["node_modules", "package.json", "scripts", "shared", "fakes", "test", "workers"];
  await Promise.all(linked.map((name) => symlink(resolve(name), join(folder, name))));
  await mkdir(join(folder, "wrangler"));
  for (const name of WORKERS) {
    const config = { ...(await watchedConfig(name)), vars: { CONTROL_URL: controlUrl } };
    await writeFile(join(folder, `wrangler/${name}.jsonc`), JSON.stringify(config));
  }
  return folder;
}
