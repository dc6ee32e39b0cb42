/** Waiting for what others do, within a bound. */
import { setTimeout as sleep } from "node:timers/promises";

/** Looks until there is something to see; the bound is for the day when there never is. */
export async function until<Seen>(
  look: () => Promise<Seen | false> | Seen | false,
  withinMs: number,
  what: string,
): Promise<Seen> {
  const end = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== false) return seen;
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms for ${what}`);
    await sleep(20);
  }
}
