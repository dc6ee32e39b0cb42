/** What each Worker weighs, as it would be uploaded: a heavy bundle is a slow cold start. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const KIB = 1_024;
const GZIP_KIB_MAX = { ingress: 60, planner: 250, executor: 250, notifier: 250, runner: 250 };

it.each(Object.entries(GZIP_KIB_MAX))("%s is at most %i KiB, gzipped", async (worker, maxKib) => {
  const folder = await mkdtemp(join(tmpdir(), "errand-size-"));
  try {
    const args = ["deploy", "--dry-run", "--minify", "-c", `wrangler/${worker}.jsonc`, "--outdir", folder];
    await promisify(execFile)("wrangler", args, {
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
    });
    const scripts = (await readdir(folder)).filter((name) => name.endsWith(".js"));
    const sizes = await Promise.all(
      scripts.map(async (name) => gzipSync(await readFile(join(folder, name))).byteLength),
    );
    const kib = sizes.reduce((sum, size) => sum + size, 0) / KIB;
    console.log(`${worker}: ${kib.toFixed(1)} KiB`);
    expect(kib).toBeGreaterThan(1);
    expect(kib).toBeLessThanOrEqual(maxKib);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
