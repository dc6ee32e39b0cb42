/** One run of a handler. It asks the control server before and after each of its effects; once crashed, it has no more. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Delivery, Effect, Question, Stage, Verdict } from "./protocol.ts";

const ask = globalThis.fetch.bind(globalThis);
const running = new AsyncLocalStorage<Invocation>();

export class Invocation {
  dead = false;
  private readonly id = crypto.randomUUID();
  readonly controlUrl: string;
  readonly stage: Stage;
  readonly entry: string;

  constructor(controlUrl: string, stage: Stage, entry: string) {
    this.controlUrl = controlUrl;
    this.stage = stage;
    this.entry = entry;
  }

  /** Does the work under the control server's eyes. */
  async effect<Result>(
    what: Pick<Effect, "kind" | "name"> & { statements?: number },
    work: () => Promise<Result>,
    rowsWrittenBy: (result: Result) => number = () => 0,
  ): Promise<Result> {
    const { stage, entry } = this;
    this.assertAlive();
    const id = await this.obey({
      moment: "before",
      invocation: this.id,
      stage,
      entry,
      statements: 1,
      ...what,
    });
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      await this.obey({ moment: "after", id, rowsWritten: 0, failed: true });
      throw error;
    }
    await this.obey({ moment: "after", id, rowsWritten: rowsWrittenBy(result), failed: false });
    return result;
  }

  /** How the queue brings the next batch. */
  async delivery(): Promise<Delivery> {
    return (await ask(`${this.controlUrl}/delivery`)).json();
  }

  private async obey(question: Question): Promise<number> {
    const response = await ask(this.controlUrl, { method: "POST", body: JSON.stringify(question) });
    const verdict = await response.json<Verdict>();
    // Another effect of this invocation may have crashed it meanwhile: then this one was never begun, or never heard of.
    this.assertAlive();
    if (verdict.do === "go") return verdict.id;
    if (verdict.do === "throw") throw new Error(verdict.message);
    this.dead = true;
    return this.assertAlive();
  }

  private assertAlive(): never | number {
    if (this.dead) throw new Error(`crashed: ${this.stage} ${this.entry}`);
    return 0;
  }
}

/** The invocation that the calling code belongs to. */
export function current(): Invocation {
  const invocation = running.getStore();
  if (invocation === undefined) throw new Error("an effect outside of every invocation");
  return invocation;
}

/** Runs a handler as this invocation. A crashed handler never returns anything, whatever it caught. */
export async function within<Result>(
  invocation: Invocation,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  const result = await running.run(invocation, work);
  if (invocation.dead) throw new Error(`crashed: ${invocation.stage} ${invocation.entry}`);
  return result;
}

/** Calls that leave the Worker are effects too. To be called once, before any of them. */
export function watchFetch(): void {
  globalThis.fetch = async (...args: Parameters<typeof fetch>) => {
    const { pathname } = new URL(args[0] instanceof Request ? args[0].url : args[0]);
    const name = pathname.slice(pathname.lastIndexOf("/") + 1);
    return current().effect({ kind: "fetch", name }, () => ask(...args));
  };
}
