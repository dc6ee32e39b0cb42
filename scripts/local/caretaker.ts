/**
 * How this process reaches into its runtime. Miniflare's own way to a binding blocks Node.js until workerd has answered, and
 * workerd waits meanwhile for Node.js to read what it has printed: with people writing, neither went on any more.
 */
import { randomBytes } from "node:crypto";
import * as z from "zod/mini";
import type { BundledWorker } from "./workerd.ts";
import type { Chore, Clocked, Statement } from "./inside/caretaker.ts";

const NAME = "caretaker";
export const CARETAKER_MAIN = "scripts/local/inside/caretaker.ts";
const EVERY_MINUTE = "* * * * *";
const Rows = z.array(z.array(z.unknown()));

export interface Caretaker {
  /** Calls a Worker's `scheduled`, as the clock does; `at` is the time that the clock says it is. */
  ring(worker: Clocked, at?: Date): Promise<void>;
  /** Runs SQL as one transaction. @returns the rows of each statement, as they are. */
  batch(statements: readonly Statement[]): Promise<unknown[][]>;
  /** See `shared/store/api-keys.ts`. */
  addFirstKey(key: Extract<Chore, { do: "addFirstKey" }>["key"]): Promise<void>;
  /** See `shared/store/outbox.ts`. */
  expireClaims(now: number): Promise<void>;
}

/** Asks a Worker of that name in JSON, without ever blocking. */
type Ask = (worker: string, authorization: string, body: unknown) => Promise<unknown>;

/** The Worker, beside those that it takes care of, and how it is spoken to once it runs. */
export function makeCaretaker(script: string, others: readonly BundledWorker[]) {
  const secret = randomBytes(32).toString("base64url");
  const names = others.map(({ name = "" }) => name).filter((name) => name.startsWith("errand-"));
  const worker: BundledWorker = {
    name: NAME,
    script,
    compatibilityDate: "2026-06-01",
    compatibilityFlags: ["service_binding_extra_handlers"],
    bindings: { SECRET: secret },
    d1Databases: Object.assign({}, ...others.map(({ d1Databases }) => d1Databases)),
    serviceBindings: Object.fromEntries(names.map((name) => [name, name])),
  };
  const speak = (ask: Ask): Caretaker => {
    const run = (chore: Chore) => ask(NAME, secret, chore);
    return {
      async ring(clocked, at = new Date()) {
        await run({ do: "ring", worker: clocked, cron: EVERY_MINUTE, at: at.getTime() });
      },
      async batch(statements) {
        return Rows.parse(await run({ do: "batch", statements }));
      },
      async addFirstKey(key) {
        await run({ do: "addFirstKey", key });
      },
      async expireClaims(now) {
        await run({ do: "expireClaims", now });
      },
    };
  };
  return { worker, speak };
}
