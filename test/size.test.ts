/** What each Worker weighs: a heavy bundle is a slow cold start. How long the start takes is measured by `npm run bench`. */
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { bundleAll } from "../scripts/installation/bundle.ts";
import { readWorkerConfig } from "../scripts/installation/worker-config.ts";

const GZIP_KIB_MAX = { ingress: 68, planner: 120, executor: 60, notifier: 90, runner: 480, hands: 40 };

it.each(Object.entries(GZIP_KIB_MAX))(
  "%s is at most %i KiB, minified and gzipped",
  async (worker, maxKib) => {
    const { main } = await readWorkerConfig(worker);
    const [bundle = ""] = await bundleAll([main], { minify: true });
    const kib = gzipSync(bundle).byteLength / 1_024;
    console.log(`${worker}: ${kib.toFixed(1)} KiB`);
    expect(kib).toBeGreaterThan(1);
    expect(kib).toBeLessThanOrEqual(maxKib);
  },
);
