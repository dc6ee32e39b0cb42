/** The Workers' own configurations, as they are and as tests watch them. */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "jsonc-parser";

export const WORKERS = ["ingress", "planner", "executor", "notifier", "runner"] as const;
export type WorkerName = (typeof WORKERS)[number];

export function configOf(name: WorkerName): { name: string; main: string } {
  const text = readFileSync(`wrangler/${name}.jsonc`, "utf8").replaceAll("../", `${process.cwd()}/`);
  return parse(text, [], { allowTrailingComma: true });
}

/** With the entry that asks the control server. The runner has no effects: it is bound to nothing. */
export function watchedConfigOf(name: WorkerName) {
  if (name === "runner") return configOf(name);
  const main = resolve(`test/support/entries/${name}.ts`);
  return { ...configOf(name), main, compatibility_flags: ["nodejs_als"] };
}

/** A folder to run `npm start` in: the project, by links, but with Workers that the control server watches. */
export async function workbench(controlUrl: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "errand-workbench-"));
  const linked = ["node_modules", "package.json", "scripts", "shared", "stand-ins", "test", "workers"];
  await Promise.all(linked.map((name) => symlink(resolve(name), join(folder, name))));
  await mkdir(join(folder, "wrangler"));
  for (const name of WORKERS) {
    const config = { ...watchedConfigOf(name), vars: { CONTROL_URL: controlUrl } };
    await writeFile(join(folder, `wrangler/${name}.jsonc`), JSON.stringify(config));
  }
  return folder;
}
