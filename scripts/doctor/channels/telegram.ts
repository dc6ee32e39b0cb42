/** What is wrong with a bot of Telegram's. https://core.telegram.org/bots/api#getwebhookinfo */
import * as z from "zod/mini";
import { fetchDirect } from "../../../shared/fetch.ts";
import { redact } from "../../../shared/log.ts";
import type { Settings } from "../../installation/settings.ts";
import { fault, type Finding, ok, warn } from "../finding.ts";
import type { ChannelDoctor } from "./doctor.ts";

const ANSWERS_MS_MAX = 10_000;
/** What went wrong longer ago was mended, or would have gone wrong again. */
const RECENT_S = 3_600;
const PENDING_MANY = 50;

const Answer = z.object({
  ok: z.boolean(),
  description: z.optional(z.string()),
  result: z.optional(z.unknown()),
});
const Me = z.object({ username: z.string() });
const WebhookInfo = z.object({
  url: z.string(),
  pending_update_count: z.int(),
  last_error_date: z.optional(z.int()),
  last_error_message: z.optional(z.string()),
  allowed_updates: z.optional(z.array(z.string())),
});
type WebhookInfo = z.infer<typeof WebhookInfo>;

const TOKEN = "Telegram: token";
const WEBHOOK = "Telegram: webhook";

export const telegramDoctor: ChannelDoctor = {
  channel: "telegram",
  async askPlatform(settings, hook, renew) {
    const me = await ask(settings, "getMe");
    if (!me.ok)
      return [
        fault(
          TOKEN,
          `Telegram refuses it (${me.description})`,
          "ask @BotFather for the token, and set TELEGRAM_BOT_TOKEN",
        ),
      ];
    const { username } = Me.parse(me.result);
    const known = settings["TELEGRAM_BOT_USERNAME"]?.replace(/^@/, "");
    const name =
      known === undefined || known === username
        ? ok(TOKEN, `it is @${username}'s`)
        : fault(
            TOKEN,
            `it is @${username}'s, but TELEGRAM_BOT_USERNAME says ${known}`,
            "take TELEGRAM_BOT_USERNAME out of the settings",
          );
    const info = await ask(settings, "getWebhookInfo");
    return [name, ...readWebhook(WebhookInfo.parse(info.result), hook, renew)];
  },
  makeEmptyWebhook: (settings) => ({
    headers: { "x-telegram-bot-api-secret-token": settings["TELEGRAM_WEBHOOK_SECRET"] ?? "" },
    body: JSON.stringify({ update_id: 0 }),
  }),
};

function readWebhook(info: WebhookInfo, hook: string | null, renew: string): readonly Finding[] {
  const { url, pending_update_count: pending, allowed_updates: allowed } = info;
  const register = hook === null ? "setWebhook, as docs/telegram.md says" : renew;
  if (url === "") return [fault(WEBHOOK, "none is set, so Telegram sends nothing", register)];
  if (hook !== null && url !== hook)
    return [fault(WEBHOOK, `it leads to ${url}, and not to ${hook}`, register)];
  if (hook === null && !url.endsWith("/hooks/telegram"))
    return [fault(WEBHOOK, `it leads to ${url}, which does not end in /hooks/telegram`, register)];
  const buttons = allowed === undefined || allowed.length === 0 || allowed.includes("callback_query");
  return [
    ...readErrors(info, register),
    ...(buttons ? [] : [fault(WEBHOOK, "it sends no presses of buttons", register)]),
    pending > PENDING_MANY
      ? warn(
          WEBHOOK,
          `${pending} updates wait at Telegram`,
          "see the lines about the webhook above; they come once it answers",
        )
      : ok(WEBHOOK, `it leads to ${url}`),
  ];
}

/** As the platform tells them. */
function readErrors(
  { last_error_date: at, last_error_message: message }: WebhookInfo,
  register: string,
): readonly Finding[] {
  if (at === undefined || message === undefined) return [];
  const ageS = Math.round(Date.now() / 1_000 - at);
  if (ageS > RECENT_S) return [];
  const mend = /\b401\b/.test(message)
    ? `it was set with another secret: ${register}`
    : /\b50[0-9]\b/.test(message)
      ? "look at the log of ingress; 503 says that the secret is not set"
      : /\b30[0-9]\b|redirect/i.test(message)
        ? "take Access away from /hooks/*"
        : "see that the address can be reached from outside";
  return [fault(WEBHOOK, `Telegram's last try failed ${ageS} s ago: ${redact(message)}`, mend)];
}

async function ask(settings: Settings, method: string): Promise<z.infer<typeof Answer>> {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_BASE: base = "https://api.telegram.org" } = settings;
  const url = `${base.replace(/\/+$/, "")}/bot${token}/${method}`;
  const response = await fetchDirect(url, { signal: AbortSignal.timeout(ANSWERS_MS_MAX) });
  return Answer.parse(await response.json());
}
