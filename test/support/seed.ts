/** Chance that can be repeated: a seed, and what is drawn with it. */

/** `npm run test:fault` tells all of it; `npm test` a sample. */
export const LONG = process.env["FAULT_SUITE"] === "long";

/** In `npm test` always the same, so that what fails there fails again. */
export const SEED = Number(process.env["FAULT_SEED"] ?? (LONG ? Date.now() % 1_000_000 : 1));

/** What to type to see a failure again. */
export function repeatWith(testName: string): string {
  // vitest shows names with ` > ` between their parts, and matches them with spaces.
  const pattern = testName.replaceAll(" > ", " ").replaceAll(/[#().*+?[\]^$|"]/g, ".");
  return `seed ${SEED}; repeat with: FAULT_SEED=${SEED} npm run test:fault -- -t "${pattern}"`;
}

/** A draw of numbers in [0, 1): the same for the same seed and name. Mulberry32, after Tommy Ettinger's public-domain generator. */
export function chance(name: string): () => number {
  let state = SEED;
  for (const char of name) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 2_654_435_761);
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function draw<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to draw from");
  return item;
}

/** So many of them, in their order; all of them in the long run. */
export function sample<Item>(items: readonly Item[], count: number, random: () => number): Item[] {
  if (LONG) return [...items];
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, items.length)) chosen.add(Math.floor(random() * items.length));
  return items.filter((_, index) => chosen.has(index));
}
