/**
 * When isolates come to their end. One that has left something behind (`waitUntil`) goes on after its answer; the runtime
 * tells its witness only when all of it is over.
 */
import { WorkerEntrypoint } from "cloudflare:workers";

/** By the URL at which the isolate was called: nobody but the runner and the runtime knows it. */
const awaited = new Map<string, () => void>();

/** Called by the runtime, as a tail of the isolate. https://developers.cloudflare.com/workers/observability/logs/tail-workers/ */
export class Witness extends WorkerEntrypoint {
  override tail(events: TraceItem[]): void {
    for (const { event } of events) {
      // Redacted, every URL of ours looks the same.
      if (event !== null && "request" in event) awaited.get(event.request.getUnredacted().url)?.();
    }
  }
}

/** The isolates of one request. */
export class Ends {
  private readonly pending = new Map<string, Promise<void>>();

  /** The URL to call one at. */
  begin(): string {
    const url = `http://isolate/${crypto.randomUUID()}`;
    this.pending.set(url, new Promise((resolve) => awaited.set(url, resolve)));
    return url;
  }

  /** It was never loaded, so nobody will tell of its end. */
  neverBegan(url: string): void {
    this.pending.delete(url);
    awaited.delete(url);
  }

  /** Whether all of them are over, now or within that time. */
  async areOver(withinMs: number): Promise<boolean> {
    const all = Promise.all(this.pending.values()).then(() => true);
    const areOver = await Promise.race([all, scheduler.wait(withinMs).then(() => false)]);
    for (const url of this.pending.keys()) awaited.delete(url);
    return areOver;
  }
}
