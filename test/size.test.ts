/** What each Worker weighs as it would be uploaded, and the CPU time of its start: a heavy bundle is a slow cold start. */
import { expect, it } from "vitest";
import { measureCold } from "../bench/cold.ts";

const GZIP_KIB_MAX = { ingress: 60, planner: 120, executor: 250, notifier: 250, runner: 250 };
/** Cloudflare refuses a Worker that takes longer than 1 s; these machines are slower, and these Workers far below. */
const STARTUP_MS_MAX = 400;

it.each(Object.entries(GZIP_KIB_MAX))(
  "%s is at most %i KiB, gzipped, and starts quickly",
  async (worker, maxKib) => {
    const { gzipKib, startupMs } = await measureCold(worker);
    console.log(`${worker}: ${gzipKib} KiB, ${startupMs} ms`);
    expect(gzipKib).toBeGreaterThan(1);
    expect(gzipKib).toBeLessThanOrEqual(maxKib);
    expect(startupMs).toBeLessThanOrEqual(STARTUP_MS_MAX);
  },
);
