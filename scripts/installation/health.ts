/** Whether an installation answers. */
import { setTimeout as sleep } from "node:timers/promises";

/** After a deploy. */
export const PATIENT_TRIES = 8;
const EVERY_MS = 1_500;
const ANSWERS_MS_MAX = 10_000;

/** How it is: it answers; nobody is there yet, as a name that is minutes old is not known everywhere; or it answers something else. */
export type Health =
  | { kind: "ok" }
  | { kind: "unreachable"; reason: string }
  | { kind: "wrong"; reason: string };

/** Asks so many times: a Worker that was deployed a moment ago may still be the one before. */
export async function askHealth(url: string, triesMax: number): Promise<Health> {
  for (let tries = 1; ; tries++) {
    const health = await ask(url);
    if (health.kind === "ok" || tries >= triesMax) return health;
    await sleep(EVERY_MS);
  }
}

async function ask(url: string): Promise<Health> {
  try {
    const response = await fetch(`${url}/health`, {
      signal: AbortSignal.timeout(ANSWERS_MS_MAX),
      redirect: "manual",
    });
    const text = await response.text();
    if (response.status === 200 && text.includes('"ok"')) return { kind: "ok" };
    const hint = response.status >= 300 && response.status < 400 ? " (is Access in front of it?)" : "";
    return { kind: "wrong", reason: `HTTP ${response.status}${hint}` };
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { kind: "unreachable", reason: cause };
  }
}
