/**
 * Ids: derived where the same thing must get the same id twice, sortable elsewhere.
 * A message, the task it starts and that task's reply share one suffix, so SQL can derive one from the other.
 */
import type { CallKey } from "./contracts/turn.ts";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's base 32: nothing in it is mistaken for something else
const SUFFIX_CHARS = 26; // 130 bits

export type IdKind = "inb" | "conv" | "msg" | "task" | "alert" | "appr";

/** The same parts give the same id. Parts are joined with a separator that JSON escapes, so ("a","bc") differs from ("ab","c"). */
export async function deriveId(kind: IdKind, ...parts: readonly string[]): Promise<string> {
  return `${kind}_${encode(await sha256(JSON.stringify(parts)))}`;
}

/** Of what a call asks a person: the same call asks once. Call 0 is its turn itself. */
export const nameApproval = ({ taskId, turn, call }: CallKey) =>
  deriveId("appr", taskId, String(turn), String(call));

/** Sorts by time of making (48 bits of milliseconds, then 80 random bits, as ULIDs do). */
export function newId(kind: IdKind, nowMs: number): string {
  const bytes = new Uint8Array(17);
  crypto.getRandomValues(bytes);
  let rest = nowMs;
  for (let i = 5; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return `${kind}_${encode(bytes)}`;
}

/** `msg_x` → `task_x`: the id of the task that this message starts, if it starts one. */
export function changeIdKind(id: string, kind: IdKind): string {
  return `${kind}_${id.slice(id.indexOf("_") + 1)}`;
}

/** A code that a person can read out: 40 random bits, so that nobody guesses one that is waiting. */
export function newCode(): string {
  const code = encode(crypto.getRandomValues(new Uint8Array(5))).toUpperCase();
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/** Hex, for what is compared rather than shown. */
export async function sha256Hex(content: string | Uint8Array): Promise<string> {
  return Array.from(await sha256(content), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sha256(content: string | Uint8Array): Promise<Uint8Array> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
}

function encode(bytes: Uint8Array): string {
  let out = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && out.length < SUFFIX_CHARS) {
      bits -= 5;
      out += ALPHABET.charAt((value >>> bits) & 31);
    }
    value &= (1 << bits) - 1;
  }
  return out;
}
