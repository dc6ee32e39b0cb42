/** Who leads each channel to an installation: one line for each. */
import { type ChatChannelName, getChannel } from "../../../shared/channels/index.ts";
import type { Settings } from "../../installation/settings.ts";
import type { Deployment } from "../deployment.ts";
import type { Step } from "../step.ts";
import { telegramWebhooks } from "./telegram.ts";
import type { Webhooks } from "./webhook.ts";

/** The compiler asks for those of every channel. */
const BY_CHANNEL: Readonly<Record<ChatChannelName, Webhooks>> = { telegram: telegramWebhooks };
const ALL = Object.values(BY_CHANNEL);

function isConfigured({ channel }: Webhooks, settings: Settings): boolean {
  return getChannel(channel).required.every((name) => settings[name] !== undefined);
}

const hookOf = ({ channel }: Webhooks, url: string) => `${url}/hooks/${channel}`;

/** A step for each channel that is configured. They are led anew each time: a platform does not tell everything that it was told. */
export function planWebhooks(
  { settings }: Pick<Deployment, "settings">,
  url: string,
  others: readonly string[],
): Step[] {
  return ALL.filter((webhooks) => isConfigured(webhooks, settings)).map((webhooks) => ({
    what: `leads ${getChannel(webhooks.channel).title} to ${hookOf(webhooks, url)}, with the menu of commands`,
    run: () =>
      webhooks.register(
        hookOf(webhooks, url),
        settings,
        others.map((other) => hookOf(webhooks, other)),
      ),
  }));
}

/** A step for each channel that is configured, to lead it away. */
export function planWebhookRemoval({ settings }: Pick<Deployment, "settings">, url: string): Step[] {
  return ALL.filter((webhooks) => isConfigured(webhooks, settings)).map((webhooks) => ({
    what: `takes ${getChannel(webhooks.channel).title} away from ${hookOf(webhooks, url)}`,
    run: () => webhooks.remove(hookOf(webhooks, url), settings),
  }));
}
