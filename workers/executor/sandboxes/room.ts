/** Room for a container: an installation runs as many at once as it has said. */
import { readTimings } from "../../../shared/config.ts";
import type { Fetched } from "../../../shared/contracts/event.ts";
import { leaveContainer, takeContainer } from "../../../shared/store/containers.ts";
import type { ToolContext } from "../tools/tool.ts";

const CONTAINERS_MAX = 10;

/** In words, why there is none now; null where there is. */
export async function takeRoom({ env, conversationId }: ToolContext, wallMs: number): Promise<string | null> {
  const now = Date.now();
  const max = Number(env.ERRAND_CONTAINERS_MAX ?? CONTAINERS_MAX);
  const until = now + wallMs + readTimings(env).container_idle_ms;
  if (await takeContainer(env.DB, { conversationId, until, max }, now)) return null;
  return `${max} containers run, and no more may (ERRAND_CONTAINERS_MAX)`;
}

interface Worked {
  /** Null: it never began to work for the call. */
  readonly startedAt: number | null;
  readonly fetched: readonly Fetched[];
}

/** The call is done with it: it runs until it is idle for too long. */
export async function leaveRoom(context: ToolContext, { startedAt, fetched }: Worked): Promise<void> {
  const { env, conversationId, attempt } = context;
  const now = Date.now();
  const until = startedAt === null ? now : now + readTimings(env).container_idle_ms;
  const workedMs = startedAt === null ? 0 : now - startedAt;
  await leaveContainer(env.DB, context, { conversationId, until, workedMs, attempt, fetched }, now);
}
