/** What is old goes, once an hour. */
import { readTimings } from "../../shared/config.ts";
import { LIMITS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { purge } from "../../shared/store/purge.ts";
import { sweepFiles } from "../../shared/sweep-files.ts";
import type { Env } from "./env.ts";

/** Rounds of an hour: more than an installation takes in. What is left is the next hour's. */
const ROUNDS_MAX = 100;

/** @param now the time of the ring. */
export async function keepRetention(env: Env, now: number): Promise<void> {
  const timings = readTimings(env);
  let rows = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const found = await purge(env.DB, now, timings);
    rows += found;
    if (found < LIMITS.purge_rows_max) break;
  }
  const files = await sweepFiles({ db: env.DB, bucket: env.FILES }, now, timings);
  if (rows + files > 0) log("info", { stage: "ingress", effect: "purged", rows, files });
}
