/** Somebody who is told of alerts. */
import type { Notice } from "../../../../shared/contracts/alert.ts";
import type { Timings } from "../../../../shared/limits.ts";
import type { Env } from "../../env.ts";
import type { AlertWords } from "../words.ts";

export type Told =
  | { readonly kind: "told" }
  /** It may work later. */
  | { readonly kind: "later"; readonly reason: string }
  /** Asking again would bring the same answer: a setting is wrong, which the reason names. */
  | { readonly kind: "refused"; readonly reason: string };

export interface Sink {
  readonly name: string;
  readonly isConfigured: (env: Env) => boolean;
  /** Told twice by the same kind, subject and revision, it is to be the same telling. What it throws is tried again. */
  readonly tell: (env: Env, notice: Notice, words: AlertWords, timings: Timings) => Promise<Told>;
}

/** What the answer of a server means. @param variable the setting by which it was reached. */
export function readAnswer({ ok, status }: Response, variable: string): Told {
  if (ok) return { kind: "told" };
  const reason = `${variable}: it answers ${status}`;
  const mayPass = status >= 500 || status === 408 || status === 425 || status === 429;
  return mayPass ? { kind: "later", reason } : { kind: "refused", reason };
}
