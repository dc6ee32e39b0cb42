/** A clock: locally no cron fires by itself. */

/** @param ring calls a Worker's `scheduled`. When it fails, the next ring does what this one did not. */
export function startClock(ring: () => Promise<void>, everyMs: number): { stop(): Promise<void> } {
  let ringing: Promise<void> | null = null;
  const tick = () => {
    ringing ??= ring()
      .catch(() => undefined)
      .finally(() => (ringing = null));
  };
  tick();
  const timer = setInterval(tick, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await ringing;
    },
  };
}
