/**
 * The runner in a workerd of its own, which may be ended at any time: an endless loop freezes that process and nothing else.
 * It runs one piece of code at a time, so it is always known whose code is to blame.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer, text } from "node:stream/consumers";
import { formOf } from "../../shared/code-form.ts";
import { type CodeResult, RunCodeRequest } from "../../shared/contracts/code.ts";
import { reasonOf } from "../../shared/errors.ts";
import { Lane } from "../../shared/lane.ts";
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
};

export class LocalRunner {
  private readonly lane = new Lane();
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
    const hungUp = new AbortController();
    response.once("close", () => hungUp.abort());
    const body = await text(request);
    const { wallMs, startWithinMs } = RunCodeRequest.parse(JSON.parse(body));
    const tooLate = () => void answer(response, new Response(formOf({ kind: "not_started" })));
    const waiting = setTimeout(tooLate, startWithinMs);
    response.once("close", () => clearTimeout(waiting));
    await this.lane.enter(async () => {
      clearTimeout(waiting);
      if (hungUp.signal.aborted || response.writableEnded) return;
      await answer(response, await this.run(body, wallMs, hungUp.signal));
    });
  }

  private async run(body: string, wallMs: number, hungUp: AbortSignal): Promise<Response> {
    const workerd = await this.current.catch(() => (this.current = this.begin()));
    const late = AbortSignal.timeout(wallMs + FROZEN_AFTER_MS);
    try {
      const signal = AbortSignal.any([hungUp, late]);
      const answered = await workerd.fetch(this.name, "http://runner/run", { method: "POST", body, signal });
      const { status, headers } = answered;
      const form = await answered.arrayBuffer();
      if (headers.get("x-goes-on") === "true") this.replace("something goes on after its answer");
      return new Response(form, { status, headers: { "content-type": headers.get("content-type") ?? "" } });
    } catch (error) {
      if (hungUp.aborted) this.replace("nobody waits for its code any more");
      else if (late.aborted) this.replace("its code does not let go");
      else this.replace(reasonOf(error));
      return new Response(formOf(late.aborted ? TIMED_OUT : BROKEN));
    }
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

async function answer(response: ServerResponse, { status, headers, body }: Response): Promise<void> {
  response.writeHead(status, Object.fromEntries(headers));
  response.end(body === null ? undefined : await buffer(body));
}
