/** Work on many keys at once, within a bound. */

/** Runs `work` for every key, at most `atOnce` at a time. All are tried; then the first failure is thrown, if there was one. */
export async function concurrently<Key>(
  keys: readonly Key[],
  atOnce: number,
  work: (key: Key) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  for (let from = 0; from < keys.length; from += atOnce) {
    const settled = await Promise.allSettled(keys.slice(from, from + atOnce).map(work));
    for (const result of settled) if (result.status === "rejected") failures.push(result.reason);
  }
  if (failures.length > 0) throw failures[0];
}
