/** Telegram's webhook and menu. https://core.telegram.org/bots/api#setwebhook */
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

const Answer = z.object({
  ok: z.boolean(),
  description: z.optional(z.string()),
  result: z.optional(z.unknown()),
});
const WebhookInfo = z.object({ url: z.string() });

export const telegramWebhooks: Webhooks = {
  channel: "telegram",
  async register(url, settings, others) {
    const { url: before } = WebhookInfo.parse(await call(settings, "getWebhookInfo", {}));
    const owner = others.find((other) => before === other);
    if (owner !== undefined)
      throw new Error(
        `This bot belongs to another installation of yours, at ${owner}. Give this one a bot of its own: npm run deploy -- --vars other.vars`,
      );
    await call(settings, "setWebhook", {
      url,
      secret_token: settings["TELEGRAM_WEBHOOK_SECRET"],
      allowed_updates: UPDATES,
      max_connections: CONNECTIONS_MAX,
    });
    const commands = listCommands(telegram.commands).map(({ name, about }) => ({
      command: name,
      description: about,
    }));
    await call(settings, "setMyCommands", { commands });
  },
  async remove(url, settings) {
    const { url: before } = WebhookInfo.parse(await call(settings, "getWebhookInfo", {}));
    if (before === url) await call(settings, "deleteWebhook", {});
  },
};

/** The result. Throws Telegram's words; the URL, which holds the token, is in none of them. */
async function call(settings: Settings, method: string, body: object): Promise<unknown> {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_BASE: base = "https://api.telegram.org" } = settings;
  const response = await fetchDirect(`${base.replace(/\/+$/, "")}/bot${token}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWERS_MS_MAX),
  });
  const answer = Answer.parse(await response.json());
  if (!answer.ok)
    throw new Error(`Telegram refuses ${method}: ${answer.description ?? `HTTP ${response.status}`}`);
  return answer.result;
}
