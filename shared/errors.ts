/**
 * The retry vocabulary, two words. Across RPC and steps they are returned, never thrown,
 * because a thrown error loses its fields on the way.
 */
import type { ReachedCap } from "./contracts/task.ts";

/** It may work later: wait `retryAfterMs` (or back off) and ask again. */
export interface Transient {
  readonly kind: "transient";
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** Asking again would bring the same answer. */
export interface Permanent {
  readonly kind: "permanent";
  readonly reason: string;
  /** Until somebody changes a setting, which the reason names. */
  readonly misconfigured?: true;
  /** A spending cap has no room for it. */
  readonly cap?: ReachedCap;
}

export function transient(reason: string, retryAfterMs?: number): Transient {
  return retryAfterMs === undefined
    ? { kind: "transient", reason }
    : { kind: "transient", reason, retryAfterMs };
}

export function permanent(reason: string): Permanent {
  return { kind: "permanent", reason };
}

export function misconfigured(reason: string): Permanent {
  return { kind: "permanent", reason, misconfigured: true };
}

/** The words of anything that was thrown. */
export function describeError(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Doubles from one second, so that the tenth try is bounded by `maxMs` and not by patience. */
export function backoffMs(attempt: number, maxMs: number): number {
  return Math.min(1_000 * 2 ** Math.max(0, attempt - 1), maxMs);
}
