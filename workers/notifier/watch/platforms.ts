/** Asking each platform whether it reaches our door. */
import { CHANNELS, ChatChannelName, getChannel } from "../../../shared/channels/index.ts";
import type { Timings } from "../../../shared/limits.ts";
import type { WebhookFinding } from "../../../shared/store/statements/wrong.ts";
import type { WebhookState } from "../channels/client.ts";
import { adapters } from "../channels/index.ts";
import type { Env } from "../env.ts";

/** What it has complained of since says how it is now. */
const RECENT_MS = 600_000;

/** Those of the channels whose platform can tell, and that are configured. */
export async function askPlatforms(env: Env, timings: Timings): Promise<WebhookFinding[]> {
  const found = CHANNELS.map(({ name }) => askPlatform(env, ChatChannelName.parse(name), timings));
  return (await Promise.all(found)).flat();
}

async function askPlatform(env: Env, channel: ChatChannelName, timings: Timings): Promise<WebhookFinding[]> {
  const { askWebhook } = adapters[channel];
  if (askWebhook === null || !isOn(env, channel)) return [];
  const asked = await askWebhook(env, timings);
  switch (asked.kind) {
    case "ok": {
      const hook = env.INSTALLATION_URL === undefined ? null : `${env.INSTALLATION_URL}/hooks/${channel}`;
      const { state, detail } = judge(asked.value, hook, Date.now());
      return [{ channel, state, isTaken: true, detail: detail && `${getChannel(channel).title} ${detail}` }];
    }
    case "misconfigured":
      return [{ channel, state: "refused", isTaken: false, detail: asked.reason }];
    default:
      return [{ channel, state: "unknown", isTaken: false, detail: asked.reason }];
  }
}

/** Without the settings that it takes a channel is off. */
function isOn(env: Env, channel: ChatChannelName): boolean {
  const { required, variables } = getChannel(channel);
  const mine = variables.filter(({ workers }) => workers.includes("notifier")).map(({ name }) => name);
  return required.filter((name) => mine.includes(name)).every((name) => Boolean(Reflect.get(env, name)));
}

const wrong = (detail: string) => ({ state: "wrong" as const, detail });

/** @param hook where it should send; null on one's own machine, where any tunnel may lead here, or none. */
function judge(
  { url, pending, lastError }: WebhookState,
  hook: string | null,
  now: number,
): Pick<WebhookFinding, "state" | "detail"> {
  if (hook !== null && url === "") return wrong(`sends to nobody, and not to ${hook}`);
  if (hook !== null && url !== hook) return wrong(`sends to ${url}, and not to ${hook}`);
  if (pending === 0 || lastError === null) return { state: "right", detail: "" };
  if (now - lastError.at <= RECENT_MS) return wrong(`cannot deliver ${pending} messages: ${lastError.words}`);
  // It tries more and more seldom: whether it would get through now, nobody knows.
  return { state: "unknown", detail: "" };
}
