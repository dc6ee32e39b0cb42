/** Before all tests: the Workers are bundled once, as they are and as tests watch them, and every file finds them. */
import { glob } from "node:fs/promises";
import { bundleAll } from "../../scripts/installation/bundle.ts";

export default async function setup(): Promise<void> {
  const mains: string[] = [];
  for await (const main of glob(["workers/*/index.ts", "test/support/entries/*.ts"])) mains.push(main);
  await bundleAll(mains);
}
