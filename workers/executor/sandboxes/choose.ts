/** Which sandbox a script runs in: what is asked for, else a container, where the installation has them. */
import { readTimings } from "../../../shared/config.ts";
import type { ToolContext } from "../tools/tool.ts";
import { ContainerSandbox } from "./container.ts";
import { EmbeddedSandbox } from "./embedded.ts";
import type { Sandbox } from "./sandbox.ts";

interface Wanted {
  readonly backend?: "embedded" | "container" | undefined;
  readonly timeout_s?: number | undefined;
}

export type Chosen = Bounds &
  (
    | { readonly kind: "embedded"; readonly sandbox: Sandbox }
    | { readonly kind: "container"; readonly sandbox: ContainerSandbox }
  );

interface Bounds {
  /** How long the script may take. */
  readonly wallMs: number;
  /** How long one step follows it: what runs elsewhere goes on without anybody. */
  readonly followMs: number;
}

const NO_CONTAINERS =
  "Not done: this installation has no containers (ERRAND_HANDS, docs/containers.md). Without `backend` the script runs where it can.";
/** In words, why there is none. */
export function chooseSandbox(
  { env, conversationId }: ToolContext,
  { backend, timeout_s }: Wanted,
): Chosen | string {
  const timings = readTimings(env);
  const { HANDS: hands, RUNNER: runner } = env;
  const boundMs = (usual: number, most: number) =>
    timeout_s === undefined ? usual : Math.min(Math.ceil(timeout_s * 1_000), most);
  if (backend === "embedded" || (backend === undefined && hands === undefined))
    return {
      kind: "embedded",
      sandbox: new EmbeddedSandbox(runner, timings.sandbox_queue_ms),
      wallMs: boundMs(timings.shell_wall_ms, timings.shell_wall_ms_max),
      followMs: Infinity,
    };
  if (hands === undefined) return NO_CONTAINERS;
  return {
    kind: "container",
    sandbox: new ContainerSandbox(hands, conversationId),
    wallMs: boundMs(timings.container_wall_ms, timings.container_wall_ms_max),
    followMs: timings.job_follow_ms,
  };
}
