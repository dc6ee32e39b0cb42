/** The clock: locally no cron fires by itself, so it is rung every few seconds. */

const RING_EVERY_MS = 3_000;

/** @param ring calls the Worker that sweeps. When it fails, the next ring sweeps what this one did not. */
export function startClock(ring: () => Promise<void>): { stop(): Promise<void> } {
  let ringing: Promise<void> | null = null;
  const tick = () => {
    ringing ??= ring()
      .catch(() => undefined)
      .finally(() => (ringing = null));
  };
  tick();
  const timer = setInterval(tick, RING_EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await ringing;
    },
  };
}
