/**
 * What containers begin from: the image with tools installed, made once in a container that has the Internet, and kept as a snapshot. One
 * object makes it, so it is never made twice at once.
 */
import { DurableObject } from "cloudflare:workers";
import { describeError } from "../../shared/errors.ts";
import { log } from "../../shared/log.ts";
import type { OwnVariable, SettingsOf } from "../../shared/variables.ts";
import { Machine } from "./machine.ts";

/** Debian's own packages; the managed image has bash, tar, coreutils and Node.js. */
const USUAL_TOOLS =
  "export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && apt-get install -y -qq --no-install-recommends " +
  "git curl ca-certificates python3 python3-pip python3-venv build-essential ripgrep jq zip unzip && apt-get clean && rm -rf /var/lib/apt/lists/*";

const BUILD_MS_MAX = 10 * 60_000;
/** Beyond it whoever builds is gone. */
const LEASE_MS = BUILD_MS_MAX + 60_000;
/** A script that fails is not tried again at once. */
const RETRY_MS = 3_600_000;
const COMPLAINT_CHARS_MAX = 300;

interface Built {
  readonly snapshot: string;
  /** What it was made by: another script makes another. */
  readonly script: string;
  readonly at: number;
}
interface Failed {
  readonly reason: string;
  readonly script: string;
  readonly at: number;
}

/** What a container is to begin from. */
export type Tools =
  | { readonly kind: "ready"; readonly snapshot: string }
  /** The image as it is: nothing is to be installed, or it cannot be. */
  | { readonly kind: "none" }
  | { readonly kind: "building" };

export class Toolchain extends DurableObject<SettingsOf<OwnVariable, "hands">> {
  /** Begins to build it where there is none. */
  async current(): Promise<Tools> {
    const { kv } = this.ctx.storage;
    const script = this.script();
    const now = Date.now();
    if (script === "") return { kind: "none" };
    const built = kv.get<Built>("built");
    if (built?.script === script) return { kind: "ready", snapshot: built.snapshot };
    const failed = kv.get<Failed>("failed");
    if (failed?.script === script && failed.at + RETRY_MS > now) return { kind: "none" };
    if ((kv.get<number>("building_until") ?? 0) <= now) {
      kv.put("building_until", now + LEASE_MS);
      await this.ctx.storage.setAlarm(now);
    }
    return { kind: "building" };
  }

  /** It cannot be restored any more: Cloudflare forgets a snapshot 30 days after it was restored last. */
  discard(snapshot: string): void {
    if (this.ctx.storage.kv.get<Built>("built")?.snapshot === snapshot) this.ctx.storage.kv.delete("built");
  }

  /** Builds it. Whatever goes wrong is kept, and not thrown: the platform would build it again at once. */
  override async alarm(): Promise<void> {
    const { kv } = this.ctx.storage;
    const script = this.script();
    const begun = Date.now();
    try {
      const snapshot = await this.build(script);
      kv.put<Built>("built", { snapshot, script, at: Date.now() });
      log("info", { stage: "hands", effect: "toolchain built", latency_ms: Date.now() - begun });
    } catch (error) {
      const reason = describeError(error);
      kv.put<Failed>("failed", { reason, script, at: Date.now() });
      log("error", { stage: "hands", effect: "toolchain not built", detail: reason });
    }
    kv.delete("building_until");
  }

  private script(): string {
    return this.env.ERRAND_TOOLCHAIN ?? USUAL_TOOLS;
  }

  private async build(script: string): Promise<string> {
    const { container } = this.ctx;
    if (container === undefined) throw new Error("containers are not enabled");
    const machine = new Machine(container);
    try {
      // What an attempt before has left half done.
      await machine.stop("begun anew");
      const why = await machine.start({ hosts: [], gate: null, snapshot: null, hasInternet: true });
      if (why !== null) throw new Error(why);
      const { code, text } = await machine.exec(["sh", "-c", `{ ${script}; } 2>&1`], {
        withinMs: BUILD_MS_MAX,
      });
      if (code !== 0) throw new Error(`it ended with ${code}: ${text.trim().slice(-COMPLAINT_CHARS_MAX)}`);
      return (await container.snapshotContainer({ name: "errand-toolchain" })).id;
    } finally {
      await machine.stop("built").catch(() => undefined);
    }
  }
}
