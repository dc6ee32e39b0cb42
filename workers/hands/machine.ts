/** The container of a hand, as commands are run in it. Every wait has an end, for a container may be silent for ever. */
import { readBody } from "../../shared/body.ts";
import { describeError } from "../../shared/errors.ts";

/** The image that Cloudflare keeps; it has bash, tar, timeout, setsid and Node.js. */
const IMAGE = "cloudflare/debian-trixie";
/** Half a processor, 4 GiB of memory and 8 GB of disk: https://developers.cloudflare.com/containers/platform-details/limits/ */
const INSTANCE = "standard-1";
/** It takes in what its own end leaves behind, and heeds SIGTERM, as a bare sleep would not. */
const FIRST_PROCESS = ["bash", "-c", "trap 'exit 0' TERM; while :; do sleep 86400 & wait $!; done"];
/** A container runs nobody's environment but this. */
const ENV = { HOME: "/root", LANG: "C.UTF-8", TMPDIR: "/tmp" };
/** Most start within a second; one that has not by then never will, while others do. */
const READY_MS_MAX = 15_000;
const EXEC_MS_MAX = 60_000;
/** Should nobody look after it any more: https://developers.cloudflare.com/containers/ */
const INACTIVITY_MS = 10 * 60_000;

export interface Ran {
  readonly code: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly text: string;
  /** It has said more than it may. */
  readonly cut: boolean;
}

interface ExecOptions {
  readonly stdin?: Uint8Array<ArrayBuffer> | string;
  readonly bytesMax?: number;
  readonly withinMs?: number;
}

const SAID_BYTES_MAX = 4 * 1024 * 1024;

/** How a container begins. */
export interface Beginning {
  /** Where it may reach, by the gate. Nothing else is led anywhere. */
  readonly hosts: readonly string[];
  readonly gate: Fetcher | null;
  /** In place of the image. */
  readonly snapshot: string | null;
  /** Only where nothing of anybody's is in it. */
  readonly hasInternet: boolean;
}

export class Machine {
  private readonly container: Container;

  constructor(container: Container) {
    this.container = container;
  }

  get isRunning(): boolean {
    return this.container.running;
  }

  /** Starts it, unless it runs. @returns in words, why it cannot be used; null when it can. */
  async start({ hosts, gate, snapshot, hasInternet }: Beginning): Promise<string | null> {
    // Before it starts, or it would know of them too late; and again, for whoever has led there may be gone.
    for (const host of hosts) {
      if (gate === null) break;
      await this.container.interceptOutboundHttp(host, gate);
      await this.container.interceptOutboundHttps(host, gate);
    }
    if (this.isRunning) return null;
    this.container.start({
      ...(snapshot === null ? { image: IMAGE } : { containerSnapshot: { id: snapshot } }),
      instance: INSTANCE,
      entrypoint: FIRST_PROCESS,
      enableInternet: hasInternet,
      env: ENV,
    });
    await this.stayAlive();
    try {
      const { code } = await this.exec(["true"], { withinMs: READY_MS_MAX });
      return code === 0 ? null : `it answers ${code}`;
    } catch (error) {
      await this.stop(describeError(error));
      return describeError(error);
    }
  }

  /** To be said again whenever its object begins anew, or it ends within seconds. */
  async stayAlive(): Promise<void> {
    if (this.isRunning) await this.container.setInactivityTimeout(INACTIVITY_MS);
  }

  /** Runs a command to its end; what it prints comes together. Throws when it takes too long, or the container is gone. */
  async exec(argv: string[], options: ExecOptions = {}): Promise<Ran> {
    const { stdin, bytesMax = SAID_BYTES_MAX, withinMs = EXEC_MS_MAX } = options;
    const cancelling = new AbortController();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      cancelling.abort();
      reject(new Error(`the container did not answer within ${withinMs / 1_000} s`));
    }, withinMs);
    try {
      return await Promise.race([this.run(argv, { stdin, bytesMax, signal: cancelling.signal }), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Begins a command that goes on by itself; nobody hears of it. */
  async detach(argv: string[], env: Readonly<Record<string, string>>): Promise<void> {
    await this.container.exec(argv, { env: { ...ENV, ...env }, stdout: "ignore", stderr: "ignore" });
  }

  async stop(reason: string): Promise<void> {
    if (this.isRunning) await this.container.destroy(reason);
  }

  private async run(
    argv: string[],
    {
      stdin,
      bytesMax,
      signal,
    }: { stdin: ExecOptions["stdin"] | undefined; bytesMax: number; signal: AbortSignal },
  ): Promise<Ran> {
    const input = stdin === undefined ? {} : { stdin: new Blob([stdin]).stream() };
    const process = await this.container.exec(argv, {
      env: ENV,
      stdout: "pipe",
      stderr: "ignore",
      signal,
      ...input,
    });
    const { bytes, text, cut } = await readBody(new Response(process.stdout), bytesMax);
    if (cut) process.kill();
    return { code: await process.exitCode, bytes, text: text ?? "", cut };
  }
}
