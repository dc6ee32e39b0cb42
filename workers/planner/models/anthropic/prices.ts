/** What tokens cost, in dollars per million. https://platform.claude.com/docs/en/about-claude/pricing (November 2026) */

import type { Price } from "../model.ts";

const PRICES: Readonly<Record<string, Price>> = {
  "claude-fable-5-1": { input: 10, output: 50 },
  "claude-opus-5-5": { input: 4, output: 20 },
  "claude-opus-5": { input: 5, output: 25 },
  "claude-sonnet-5-5": { input: 2, output: 10 },
  "claude-sonnet-5": { input: 2, output: 10 },
  "claude-haiku-4-5": { input: 1, output: 5 },
};
const TOKENS_PER_PRICE = 1_000_000;
/** Of the price of input: to write the cache for five minutes, and to read it. */
const CACHE_WRITE = 1.25;
const CACHE_READ = 0.1;

export interface Tokens {
  fresh: number;
  cacheWritten: number;
  cacheRead: number;
  out: number;
}

/** Dollars; null for a model whose price nobody told. `configured` is `ANTHROPIC_PRICE`, such as `2/10`. */
export function computeCostUsd(model: string, configured: string | undefined, tokens: Tokens): number | null {
  const price = findPrice(model, configured);
  if (price === null) return null;
  const { fresh, cacheWritten, cacheRead, out } = tokens;
  const input = fresh + cacheWritten * CACHE_WRITE + cacheRead * CACHE_READ;
  return (input * price.input + out * price.output) / TOKENS_PER_PRICE;
}

/** What a model costs; null where nobody told. */
export function findPrice(model: string, configured: string | undefined): Price | null {
  return readPrice(configured) ?? PRICES[model.replace(/-\d{8}$/, "")] ?? null;
}

function readPrice(configured = ""): Price | undefined {
  const [, input, output] = /^(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/.exec(configured) ?? [];
  return input === undefined || output === undefined
    ? undefined
    : { input: Number(input), output: Number(output) };
}
