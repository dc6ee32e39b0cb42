/** Signing, and comparing what a caller sent with a secret in a time that tells nothing about the secret. */

const encoder = new TextEncoder();

/** HMAC-SHA256 of a text, in URL-safe base64. */
export async function sign(text: string, secret: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Both sides are hashed first, so that neither their lengths nor their first difference shows. */
export async function equalInConstantTime(given: string, secret: string): Promise<boolean> {
  const [a, b] = await Promise.all([
    crypto.subtle.digest("SHA-256", encoder.encode(given)),
    crypto.subtle.digest("SHA-256", encoder.encode(secret)),
  ]);
  // By hand, for `crypto.subtle.timingSafeEqual` is workerd's own, and `npm run inspect` runs this in Node.
  const [left, right] = [new Uint8Array(a), new Uint8Array(b)];
  return left.reduce((difference, byte, index) => difference | (byte ^ (right[index] ?? 0)), 0) === 0;
}
