/** The Workers' configurations as this machine runs them: each in a folder of its own, beside the variables that are its. */
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Settings, varsOf, WORKERS } from "./settings.ts";

/** @returns the paths, ingress first: the first Worker answers on the port. */
export async function writeConfigs(state: string, settings: Settings): Promise<string[]> {
  return Promise.all(
    WORKERS.map(async (worker) => {
      const folder = join(state, "workers", worker);
      await mkdir(folder, { recursive: true });
      const text = await readFile(`wrangler/${worker}.jsonc`, "utf8");
      const config = join(folder, "wrangler.jsonc");
      await writeFile(config, text.replaceAll('"../', `"${process.cwd()}/`));
      const vars = join(folder, ".dev.vars");
      await writeFile(vars, varsOf(worker, settings), { mode: 0o600 });
      // Written by an earlier run with another mode, it would keep that.
      await chmod(vars, 0o600);
      return config;
    }),
  );
}
