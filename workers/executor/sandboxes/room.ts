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

/** The call is done with it: it runs until it is idle for too long. */
export async function leaveRoom(context: ToolContext, fetched: readonly Fetched[]): Promise<void> {
  const { env, conversationId, startedAt } = context;
  const now = Date.now();
  const until = now + readTimings(env).container_idle_ms;
  await leaveContainer(env.DB, context, { conversationId, until, workedMs: now - startedAt, fetched }, now);
}
