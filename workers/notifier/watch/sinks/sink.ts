/** Somebody who is told of alerts. */
import type { Notice } from "../../../../shared/contracts/alert.ts";
import type { Timings } from "../../../../shared/limits.ts";
import type { OwnVariable } from "../../../../shared/variables.ts";
import type { Env } from "../../env.ts";
import type { AlertWords } from "../words.ts";

export type Told =
  | { readonly kind: "told" }
  /** It is on its way, however long that takes. */
  | { readonly kind: "underway" }
  /** It may work later. */
  | { readonly kind: "later"; readonly reason: string }
  /** Asking again would bring the same answer: a setting is wrong, which the reason names. */
  | { readonly kind: "refused"; readonly reason: string };

export interface Sink {
  readonly name: string;
  /** The settings by which it is reached: named where it fails, and never shown. */
  readonly variables: readonly (OwnVariable["name"] & keyof Env)[];
  readonly isConfigured: (env: Env) => boolean;
  /** Told twice by the same kind, subject and revision, it is to be the same telling. What it throws is tried again. */
  readonly tell: (env: Env, notice: Notice, words: AlertWords, timings: Timings) => Promise<Told>;
}

/** Equal for the same telling of the same installation, by which a receiver knows again what comes twice. */
export function identify({ INSTALLATION }: Env, { kind, subject, revision, created_at }: Notice): string[] {
  return [INSTALLATION ?? "local", kind, subject, String(revision), String(created_at)];
}

/** What `fetch` takes. What it does not it would name in its words, and an address is a secret. */
export const isHttp = (url: string) => /^https?:$/.test(URL.parse(url)?.protocol ?? "");

/** What the answer of a server means. Whatever it is, it may be another in a minute: a receiver is mended, or told a secret, after us. */
export function readAnswer({ ok, status }: Response): Told {
  return ok ? { kind: "told" } : { kind: "later", reason: `it answers ${status}` };
}
