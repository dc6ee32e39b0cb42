/**
 * The runner in a workerd of its own, which may be ended at any time: an endless loop freezes that process and nothing else.
 * It runs one piece of code at a time, so it is always known whose code is to blame.
 */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { decodeCodeRequest, encodeCodeForm } from "../../shared/code-form.ts";
import type { CodeResult } from "../../shared/contracts/code.ts";
import { describeError } from "../../shared/errors.ts";
import { Mutex } from "../../shared/mutex.ts";
import { log } from "../../shared/log.ts";
import { type BundledWorker, startWorkerd, type Workerd } from "./workerd.ts";

/** Beyond the time that code may take. The runner ends what only waits; what does not let it is ended here. */
const FROZEN_AFTER_MS = 1_000;

const TIMED_OUT: CodeResult = { kind: "timed_out" };
const BROKEN: CodeResult = {
  kind: "done",
  printed: "",
  value: null,
  error: "The sandbox broke down while it ran. It may have used more memory than there is.",
  files: [],
  changes: [],
};

/** A request as it came: with the type of its form. */
interface Asked {
  readonly body: Buffer<ArrayBuffer>;
  readonly type: string;
}

export class LocalRunner {
  private readonly mutex = new Mutex();
  private readonly begin: () => Promise<Workerd>;
  private readonly name: string;
  private current: Promise<Workerd>;
  private stopped = false;

  constructor(worker: BundledWorker, onLine: (line: string) => void) {
    this.name = worker.name ?? "";
    this.begin = () =>
      startWorkerd({
        workers: [{ ...worker, bindings: { ...worker.bindings, WATCH_ENDS: "true" } }],
        onLine,
      });
    this.current = this.begin();
    this.current.catch(() => undefined);
  }

  /** Resolves when it can run code. */
  async ready(): Promise<void> {
    await this.current;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.current.then((workerd) => workerd.stop()).catch(() => undefined);
  }

  /** What the executor is bound to. Whoever hangs up has what it asked for ended. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const hungUp = once(response, "close").then(() => "hung up" as const);
    const body = await buffer(request);
    const type = request.headers["content-type"] ?? "";
    const asked = new Response(body, { headers: { "content-type": type } });
    const { wallMs, startWithinMs } = await decodeCodeRequest(asked);
    const tooLate = () => void answer(response, new Response(encodeCodeForm({ kind: "not_started" })));
    const waiting = setTimeout(tooLate, startWithinMs);
    response.once("close", () => clearTimeout(waiting));
    await this.mutex.run(async () => {
      clearTimeout(waiting);
      if (response.destroyed || response.writableEnded) return;
      await answer(response, await this.run({ body, type }, wallMs, hungUp));
    });
  }

  /**
   * Runs it, or ends the process that does, when nobody waits for it or it does not let go. Not by a signal given to `fetch`:
   * Node may collect signals that are made of others, and they are never heard (https://github.com/nodejs/node/issues/65995).
   */
  private async run(asked: Asked, wallMs: number, hungUp: Promise<"hung up">): Promise<Response> {
    const workerd = await this.current.catch(() => (this.current = this.begin()));
    const { promise: late, timer } = frozenAfter(wallMs + FROZEN_AFTER_MS);
    try {
      const outcome = await Promise.race([this.ask(workerd, asked), hungUp, late]);
      if (outcome instanceof Response) return outcome;
      this.replace(outcome === "late" ? "its code does not let go" : "nobody waits for its code any more");
      return new Response(encodeCodeForm(outcome === "late" ? TIMED_OUT : BROKEN));
    } catch (error) {
      this.replace(describeError(error));
      return new Response(encodeCodeForm(BROKEN));
    } finally {
      clearTimeout(timer);
    }
  }

  private async ask(workerd: Workerd, { body, type }: Asked): Promise<Response> {
    const request = { method: "POST", body, headers: { "content-type": type } };
    const answered = await workerd.fetch(this.name, "http://runner/run", request);
    const { status, headers } = answered;
    const form = await answered.arrayBuffer();
    if (headers.get("x-goes-on") === "true") this.replace("something goes on after its answer");
    return new Response(form, { status, headers: { "content-type": headers.get("content-type") ?? "" } });
  }

  private replace(detail: string): void {
    if (this.stopped) return;
    log("warn", { stage: "runner", effect: "restarted", detail });
    this.current = this.current
      .then((workerd) => workerd.stop())
      .catch(() => undefined)
      .then(() => this.begin());
    this.current.catch(() => undefined);
  }
}

function frozenAfter(ms: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const promise = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), ms);
  });
  return { promise, timer };
}

async function answer(response: ServerResponse, { status, headers, body }: Response): Promise<void> {
  response.writeHead(status, Object.fromEntries(headers));
  response.end(body === null ? undefined : await buffer(body));
}
