/** The watch: once a minute it looks at how the installation is, and tells its operator of what changes. It has a clock of its own, for the sweep's may stop. */
import { readTimings } from "../../../shared/config.ts";
import { describeError } from "../../../shared/errors.ts";
import { log } from "../../../shared/log.ts";
import { isWatchLate, watch } from "../../../shared/store/alerts.ts";
import { readVersion } from "../../../shared/version.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import { getBells, type Env } from "../env.ts";
import { SINKS } from "./sinks/index.ts";
import { tell } from "./tell.ts";
import { askPlatforms } from "./platforms.ts";

/** A sink that is down costs its own telling a wait, and nothing else. */
async function keepWatch(env: Env, { isLate = false } = {}): Promise<void> {
  const timings = readTimings(env);
  const webhooks = await askPlatforms(env, timings);
  const sinks = SINKS.filter((sink) => sink.isConfigured(env)).map(({ name }) => name);
  const version = readVersion(env) ?? "unknown";
  const { due, doorbells } = await watch(env.DB, { webhooks, sinks, version, isLate }, Date.now(), timings);
  await ring(getBells(env), doorbells, "notifier");
  await Promise.all(due.map((notice) => tell(env, notice, timings)));
}

/** By its own clock. What keeps it from watching is in the log, and shown by its sign that grows old. */
export async function watchByClock(env: Env): Promise<void> {
  try {
    await keepWatch(env);
  } catch (error) {
    log("error", { stage: "notifier", effect: "watch", detail: describeError(error) });
    throw error;
  }
}

/** When this isolate has looked last. */
let lookedAt = 0;

/** Whoever is called while the watch's own clock stands still keeps it, and by that tells of it. An isolate looks as seldom as a clock is late; never fails. */
export async function keepLateWatch(env: Env): Promise<void> {
  const now = Date.now();
  const timings = readTimings(env);
  // Without a version there is no deployment, and no clock.
  if (env.VERSION === undefined || now - lookedAt < timings.clock_late_ms) return;
  lookedAt = now;
  try {
    if (await isWatchLate(env.DB, now, timings)) await keepWatch(env, { isLate: true });
  } catch (error) {
    log("warn", { stage: "notifier", effect: "watch", detail: describeError(error) });
  }
}
