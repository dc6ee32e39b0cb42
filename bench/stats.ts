/** Numbers of many measurements. Times are milliseconds. */

export interface Spread {
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  count: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  const mean = round(values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length));
  return { mean, p50: at(0.5), p95: at(0.95), p99: at(0.99), count: values.length };
}

/** Two significant decimals are more than a noisy machine can promise. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** How far the rounds of one measurement lie apart, as a share of their middle: the noise of this machine. */
export function noiseOf(rounds: readonly number[]): number {
  const sorted = rounds.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 1;
  return round(((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)) / middle);
}
