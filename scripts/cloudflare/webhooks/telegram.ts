/** Telegram's webhook and menu. https://core.telegram.org/bots/api#setwebhook */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod/mini";
import { telegram } from "../../../shared/channels/telegram.ts";
import { listCommands } from "../../../shared/commands.ts";
import { fetchDirect } from "../../../shared/fetch.ts";
import type { Settings } from "../../installation/settings.ts";
import type { Webhooks } from "./webhook.ts";

const ANSWERS_MS_MAX = 15_000;
/** What `workers/ingress/channels/telegram/update.ts` reads. */
const UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"];
const CONNECTIONS_MAX = 40;
const TRIES_MAX = 4;
const WAIT_S_MAX = 30;

const Answer = z.object({
  ok: z.boolean(),
  parameters: z.optional(z.object({ retry_after: z.optional(z.int()) })),
  description: z.optional(z.string()),
  result: z.optional(z.unknown()),
});
const WebhookInfo = z.object({ url: z.string() });

export const telegramWebhooks: Webhooks = {
  channel: "telegram",
  async find(settings) {
    return WebhookInfo.parse(await call(settings, "getWebhookInfo", {})).url || null;
  },
  describe: (hook, settings) => [makeWebhook(hook, settings), makeMenu()],
  async register(hook, settings) {
    await call(settings, "setWebhook", makeWebhook(hook, settings));
    await call(settings, "setMyCommands", makeMenu());
  },
  async remove(settings) {
    await call(settings, "deleteWebhook", {});
  },
  invite: ({ TELEGRAM_BOT_USERNAME: name }) =>
    `Write to ${name === undefined ? "your bot" : `https://t.me/${name.replace(/^@/, "")}`}: it answers with a code, which lets you in`,
};

function makeWebhook(url: string, settings: Settings) {
  const secret_token = settings["TELEGRAM_WEBHOOK_SECRET"];
  return { url, secret_token, allowed_updates: UPDATES, max_connections: CONNECTIONS_MAX };
}

function makeMenu() {
  const commands = listCommands(telegram.commands);
  return { commands: commands.map(({ name, about }) => ({ command: name, description: about })) };
}

/** The result. Waits when Telegram asks to, a few times. Throws its words; the URL, which holds the token, is in none of them. */
async function call(settings: Settings, method: string, body: object): Promise<unknown> {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_BASE: base = "https://api.telegram.org" } = settings;
  for (let tries = 1; ; tries++) {
    const response = await fetchDirect(`${base.replace(/\/+$/, "")}/bot${token}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWERS_MS_MAX),
    });
    const answer = Answer.safeParse(await response.json().catch(() => null)).data;
    if (answer?.ok === true) return answer.result;
    const waitS = answer?.parameters?.retry_after;
    if (waitS === undefined || waitS > WAIT_S_MAX || tries === TRIES_MAX)
      throw new Error(
        `Telegram refuses ${method}: ${answer?.description ?? `HTTP ${response.status}, and no answer of the Bot API's`}`,
      );
    await sleep(waitS * 1_000);
  }
}
