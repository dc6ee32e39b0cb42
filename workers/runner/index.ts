/** The runner: runs code that nobody trusts. It is bound to nothing but the loader; having nothing is its security. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { CodeResult, RunCodeRequest, RunnerRpc } from "../../shared/contracts/rpc.ts";
import { runIsolated } from "./isolate.ts";
import { Lane } from "../../shared/lane.ts";

interface Env {
  LOADER: WorkerLoader;
  /** "true" where no CPU limit is enforced, so that it is known whose code has frozen the process. */
  ONE_AT_A_TIME?: string;
}

const lane = new Lane();

export default class Runner extends WorkerEntrypoint<Env> implements RunnerRpc {
  /** Answers the watchdog: a frozen process does not. */
  override fetch(): Response {
    return new Response("alive\n");
  }

  async runCode(request: RunCodeRequest, onStart: () => void | Promise<void>): Promise<CodeResult> {
    const run = async (): Promise<CodeResult> => {
      // Awaited: the caller must know that it has begun before the code can freeze everything.
      await onStart();
      return runIsolated(this.env.LOADER, request);
    };
    if (this.env.ONE_AT_A_TIME !== "true") return run();
    const startBy = Date.now() + request.startWithinMs;
    const mine = lane.enter<CodeResult>(() =>
      Date.now() > startBy ? Promise.resolve({ kind: "not_started" }) : run(),
    );
    // A caller that is stopped takes its request with it, and whoever waits behind it would wait for ever.
    this.ctx.waitUntil(mine.catch(() => undefined));
    return mine;
  }
}
