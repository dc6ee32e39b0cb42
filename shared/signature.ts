/** Comparing what a caller sent with a secret, in a time that tells nothing about the secret. */

/** Both sides are hashed first, so that neither their lengths nor their first difference shows. */
export async function equalInConstantTime(given: string, secret: string): Promise<boolean> {
  const encoder = new TextEncoder();
  const [a, b] = await Promise.all([
    crypto.subtle.digest("SHA-256", encoder.encode(given)),
    crypto.subtle.digest("SHA-256", encoder.encode(secret)),
  ]);
  // By hand, for `crypto.subtle.timingSafeEqual` is workerd's own, and `npm run inspect` runs this in Node.
  const [left, right] = [new Uint8Array(a), new Uint8Array(b)];
  return left.reduce((difference, byte, index) => difference | (byte ^ (right[index] ?? 0)), 0) === 0;
}
