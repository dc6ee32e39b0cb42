/** Who leads each channel to an installation: one line for each. */
import { createHash } from "node:crypto";
import { type ChatChannelName, getChannel } from "../../../shared/channels/index.ts";
import { describeError } from "../../../shared/errors.ts";
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

/** Steps for the channels whose platform is not led here yet, or was told something else. Throws when it serves another installation of this machine's. */
export async function planWebhooks(
  deployment: Deployment,
  url: string,
  others: readonly { name: string; url: string }[],
  isDoorNew: boolean,
): Promise<Step[]> {
  const { settings, target } = deployment;
  const steps = ALL.filter((webhooks) => isConfigured(webhooks, settings)).map(async (webhooks) => {
    const hook = hookOf(webhooks, url);
    const { title } = getChannel(webhooks.channel);
    const before = await webhooks.find(settings);
    const owner = others.find((other) => before === hookOf(webhooks, other.url));
    if (owner !== undefined)
      throw new Error(
        `${title}: this bot serves your installation ${owner.name}. Give ${target.name} a bot of its own, in a file of its own: npm run deploy -- --name ${target.name} --vars .${target.name}.vars`,
      );
    const told = createHash("sha256")
      .update(JSON.stringify(webhooks.describe(hook, settings)))
      .digest("hex");
    // A platform does not tell the secret that it knows: whoever deploys the door anew tells it again.
    if (!isDoorNew && before === hook && deployment.record.webhooks[webhooks.channel] === told) return [];
    const from = before === null || before === hook ? "" : `, away from ${before}`;
    const what = `leads ${title} to ${hook}${from}, with the menu of commands`;
    return [{ what, run: () => register(deployment, webhooks, hook, told) }];
  });
  return (await Promise.all(steps)).flat();
}

async function register(
  deployment: Deployment,
  webhooks: Webhooks,
  hook: string,
  told: string,
): Promise<void> {
  await webhooks.register(hook, deployment.settings);
  await deployment.remember({ webhooks: { ...deployment.record.webhooks, [webhooks.channel]: told } });
}

/** Channels that were led here and are configured no more: nobody without their token can lead them away. */
export function listLeftBehind({ settings, record }: Deployment): string[] {
  return ALL.filter(
    (webhooks) => record.webhooks[webhooks.channel] !== undefined && !isConfigured(webhooks, settings),
  ).map(
    ({ channel }) =>
      `${getChannel(channel).title} still leads here, and will be refused: take its webhook away with the bot's token`,
  );
}

/** Leads the platforms here as these settings say, whatever they were told before. */
export async function registerAgain(deployment: Deployment, url: string, settings: Settings): Promise<void> {
  for (const webhooks of ALL.filter((one) => isConfigured(one, settings))) {
    const hook = hookOf(webhooks, url);
    if ((await webhooks.find(settings)) === hook) await webhooks.register(hook, settings);
  }
  await deployment.remember({ webhooks: {} });
}

/** Steps that lead the platforms away again. One that cannot be asked, or serves somebody else by now, keeps nobody from destroying: it is said. */
export function planWebhookRemoval(
  deployment: Deployment,
  url: string,
  say: (words: string) => void,
): Step[] {
  const { settings, record } = deployment;
  const concerned = ALL.filter(
    (webhooks) => isConfigured(webhooks, settings) || record.webhooks[webhooks.channel] !== undefined,
  );
  return concerned.map((webhooks) => {
    const { title, required } = getChannel(webhooks.channel);
    const hook = hookOf(webhooks, url);
    return {
      what: `leads ${title} away from ${hook}`,
      async run() {
        if (!isConfigured(webhooks, settings)) {
          say(`     ⚠ not done: ${required.join(", ")} are not in the settings, so it still leads here`);
          return;
        }
        try {
          const before = await webhooks.find(settings);
          if (before === hook) await webhooks.remove(settings);
          else if (before !== null) say(`     ⚠ left as it is: it leads to ${before}`);
        } catch (error) {
          say(`     ⚠ not done: ${describeError(error)}`);
        }
      },
    };
  });
}

/** What a person does next, for each channel that is configured. */
export function listInvitations({ settings, target }: Deployment): string[] {
  return ALL.filter((webhooks) => isConfigured(webhooks, settings)).map(
    (webhooks) => `${webhooks.invite(settings)}: npm run pair -- --name ${target.name} CODE --admin`,
  );
}
