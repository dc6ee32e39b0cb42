/** JSON with bytes in it. */
import { decodeBase64, encodeBase64 } from "hono/utils/encode";

export const encodeBytes = (value: unknown): string =>
  JSON.stringify(value ?? null, (_key, one: unknown) =>
    one instanceof Uint8Array ? { $base64: encodeBase64(one.slice().buffer) } : one,
  );

export const decodeBytes = (text: string): unknown =>
  JSON.parse(text, (_key, one: unknown) => {
    if (typeof one !== "object" || one === null || !("$base64" in one)) return one;
    return decodeBase64(String(one.$base64));
  });
