/** What may be spent on models before a call is not made any more: pure. */
import * as z from "zod/mini";

const Cap = z.strictObject({
  tokens: z.optional(z.int().check(z.gte(0))),
  usd: z.optional(z.number().check(z.gte(0), z.lte(1_000_000))),
});
type CapScope = "task" | "person_day" | "key_day" | "tenant_day";

/** As a tenant sets them: what is left out keeps its default. Days are UTC's. */
export const Caps = z.strictObject({
  /** Of one task. */
  task: z.optional(Cap),
  /** Of the tasks that one person has begun, in a day. */
  person_day: z.optional(Cap),
  /** Of the tasks that one API key has submitted, in a day. */
  key_day: z.optional(Cap),
  /** Of everybody together, in a day. */
  tenant_day: z.optional(Cap),
});
export type Caps = z.infer<typeof Caps>;

/** Both hold; money only where the model's price is known. */
export const HeldCap = z.object({ tokens: z.int(), usd: z.number() });
export type HeldCap = z.infer<typeof HeldCap>;
export const HeldCaps = z.object({
  task: HeldCap,
  person_day: HeldCap,
  key_day: HeldCap,
  tenant_day: HeldCap,
});
export type HeldCaps = z.infer<typeof HeldCaps>;

/**
 * What a careless installation survives: a full prompt is about 50,000 tokens, and an answer at most 16,000, so a task has some fifteen
 * full turns, and a day of everybody costs no more than a dinner.
 */
const DEFAULT_CAPS: HeldCaps = {
  task: { tokens: 1_000_000, usd: 3 },
  person_day: { tokens: 4_000_000, usd: 10 },
  key_day: { tokens: 4_000_000, usd: 10 },
  tenant_day: { tokens: 12_000_000, usd: 30 },
};

export function resolveCaps(set: Caps | undefined): HeldCaps {
  const hold = (scope: CapScope): HeldCap => ({
    tokens: set?.[scope]?.tokens ?? DEFAULT_CAPS[scope].tokens,
    usd: set?.[scope]?.usd ?? DEFAULT_CAPS[scope].usd,
  });
  return {
    task: hold("task"),
    person_day: hold("person_day"),
    key_day: hold("key_day"),
    tenant_day: hold("tenant_day"),
  };
}

const DAY_MS = 24 * 3_600_000;

/** Days since 1970, in UTC. */
export const dayOf = (ms: number) => Math.floor(ms / DAY_MS);

/** When that day's caps are whole again, in Unix milliseconds. */
export const renewalOf = (day: number) => (day + 1) * DAY_MS;

export const toMicroUsd = (usd: number) => Math.round(usd * 1_000_000);

/** `12,345 tokens ($0.12)`: dollars are those that are known. */
export function formatAmount({ tokens, microUsd }: { tokens: number; microUsd: number }): string {
  const usd = microUsd / 1_000_000;
  return `${tokens.toLocaleString("en-US")} tokens ($${usd.toFixed(usd > 0 && usd < 0.1 ? 4 : 2)})`;
}

/** `at 00:00 UTC, in 5 h 10 min`. */
export function formatRenewal(at: number, now: number): string {
  const minutes = Math.ceil((at - now) / 60_000);
  return `at 00:00 UTC, in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
