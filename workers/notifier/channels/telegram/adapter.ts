/** Telegram, the sending half. https://core.telegram.org/bots/api#sendmessage */
import { Api } from "grammy";
import { readBody } from "../../../../shared/body.ts";
import { telegram as channel } from "../../../../shared/channels/telegram.ts";
import { fetchDirect } from "../../../../shared/fetch.ts";
import { LIMITS, type Timings } from "../../../../shared/limits.ts";
import { redact } from "../../../../shared/log.ts";
import type { Env } from "../../env.ts";
import { defineAdapter, type Misconfigured } from "../client.ts";
import { openClient } from "./client.ts";
import { tryCall } from "./failures.ts";

const TOO_BIG = `larger than ${LIMITS.file_bytes_max / 1024 ** 2} MiB`;

export const telegram = defineAdapter<"telegram">(channel, {
  open(env, conversation, timings) {
    const bot = openBot(env, timings);
    return bot.kind === "misconfigured" ? bot : openClient(bot.api, conversation);
  },
  /** https://core.telegram.org/bots/api#getwebhookinfo */
  async askWebhook(env, timings) {
    const bot = openBot(env, timings);
    if (bot.kind === "misconfigured") return bot;
    return tryCall(async () => {
      const info = await bot.api.getWebhookInfo();
      const { url = "", pending_update_count: pending, last_error_date, last_error_message = "" } = info;
      const lastError =
        last_error_date === undefined
          ? null
          : { at: last_error_date * 1_000, words: redact(last_error_message) };
      return { url, pending, lastError };
    });
  },
  async download(env, fileId, timings) {
    const bot = openBot(env, timings);
    if (bot.kind === "misconfigured") return bot;
    return tryCall(async () => {
      const { file_path: path } = await bot.api.getFile(fileId);
      const signal = AbortSignal.timeout(timings.platform_call_ms);
      const response = await fetchDirect(`${bot.filesUrl}/${path}`, { signal });
      if (!response.ok) throw new Error(`the file answered ${response.status}`);
      const { bytes, cut } = await readBody(response, LIMITS.file_bytes_max);
      if (cut) throw new RangeError(TOO_BIG);
      return bytes.slice();
    });
  },
});

type Bot = { kind: "bot"; api: Api; filesUrl: string };

function openBot(env: Env, timings: Timings): Bot | Misconfigured {
  const token = env.TELEGRAM_BOT_TOKEN;
  if (!token) {
    const reason =
      "TELEGRAM_BOT_TOKEN is not set: put the token from @BotFather in .dev.vars, then npm run dead-letters -- replay all";
    return { kind: "misconfigured", reason };
  }
  const base = env.TELEGRAM_API_BASE?.replace(/\/+$/, "") || "https://api.telegram.org";
  const timeoutSeconds = timings.platform_call_ms / 1_000;
  const api = new Api(token, { apiRoot: base, timeoutSeconds, fetch: fetchDirect });
  return { kind: "bot", api, filesUrl: `${base}/file/bot${token}` };
}
