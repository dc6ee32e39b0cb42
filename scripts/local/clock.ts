/** The clock: locally no cron fires by itself, so it is rung every few seconds. */

const RING_EVERY_MS = 3_000;
const RING_MS_MAX = 20_000;
const SCHEDULED = "/cdn-cgi/local/scheduled?cron=*+*+*+*+*";

export function startClock(url: string): { stop(): Promise<void> } {
  let ringing: Promise<void> | null = null;
  const ring = async () => {
    try {
      await fetch(`${url}${SCHEDULED}`, { signal: AbortSignal.timeout(RING_MS_MAX) });
    } catch {
      // The next ring sweeps what this one did not.
    }
    ringing = null;
  };
  const tick = () => {
    ringing ??= ring();
  };
  tick();
  const timer = setInterval(tick, RING_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}
