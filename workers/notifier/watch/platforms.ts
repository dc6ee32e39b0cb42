/** Asking each platform whether it reaches our door. */
import { CHANNELS, ChatChannelName, getChannel } from "../../../shared/channels/index.ts";
import type { Timings } from "../../../shared/limits.ts";
import type { WebhookFinding } from "../../../shared/store/statements/wrong.ts";
import type { WebhookState } from "../channels/client.ts";
import { adapters } from "../channels/index.ts";
import type { Env } from "../env.ts";

/** What a platform complained of longer ago was mended, or it would have complained again. */
const RECENT_MS = 600_000;

/** Those of the channels whose platform can tell, and that are configured. */
export async function askPlatforms(env: Env, timings: Timings): Promise<WebhookFinding[]> {
  const found = CHANNELS.map(({ name }) => askPlatform(env, ChatChannelName.parse(name), timings));
  return (await Promise.all(found)).flat();
}

async function askPlatform(env: Env, channel: ChatChannelName, timings: Timings): Promise<WebhookFinding[]> {
  const { askWebhook } = adapters[channel];
  if (askWebhook === null) return [];
  const asked = await askWebhook(env, timings);
  switch (asked.kind) {
    case "ok": {
      const hook = env.INSTALLATION_URL === undefined ? null : `${env.INSTALLATION_URL}/hooks/${channel}`;
      const detail = findFault(asked.value, hook, Date.now());
      return detail === null
        ? [{ channel, state: "right", detail: "" }]
        : [{ channel, state: "wrong", detail: `${getChannel(channel).title} ${detail}` }];
    }
    // Without its token a channel is off, or its answers are put aside: that is told by itself.
    case "misconfigured":
      return [{ channel, state: "refused", detail: asked.reason }];
    default:
      return [{ channel, state: "unknown", detail: asked.reason }];
  }
}

/** @param hook where it should send; null on one's own machine, where any tunnel may lead here, or none. */
function findFault(
  { url, pending, lastError }: WebhookState,
  hook: string | null,
  now: number,
): string | null {
  if (hook !== null && url === "") return `sends to nobody, and not to ${hook}`;
  if (hook !== null && url !== hook) return `sends to ${url}, and not to ${hook}`;
  if (lastError === null || pending === 0 || now - lastError.at > RECENT_MS) return null;
  return `cannot deliver ${pending} messages: ${lastError.words}`;
}
