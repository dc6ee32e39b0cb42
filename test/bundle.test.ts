/** Bundles are kept only for as long as everything in them is the same. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bundleAll } from "../scripts/installation/bundle.ts";

it("a bundle is made again when a file that it imports has changed, and is kept otherwise", async () => {
  const folder = await mkdtemp(join(tmpdir(), "errand-bundle-"));
  const main = join(folder, "main.ts");
  const imported = join(folder, "imported.ts");
  await writeFile(main, 'export { words as default } from "./imported.ts";');
  await writeFile(imported, 'export const words: string = "before";');
  const [before] = await bundleAll([main]);
  expect(before).toContain("before");
  expect(await bundleAll([main])).toEqual([before]);
  await writeFile(imported, 'export const words: string = "after";');
  const [after] = await bundleAll([main]);
  expect(after).toContain("after");
  expect(after).not.toContain("before");
  await rm(folder, { recursive: true });
});
