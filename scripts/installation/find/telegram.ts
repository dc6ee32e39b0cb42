/** Who the bot is: without its name nobody can tell whether a group's message is for it. */
import * as z from "zod/mini";
import { fetchDirect } from "../../../shared/fetch.ts";
import { redact } from "../../../shared/log.ts";
import type { Settings } from "../settings.ts";

const ANSWERS_MS_MAX = 3_000;
const Me = z.object({ ok: z.literal(true), result: z.object({ username: z.string() }) });

/** The bot's id, which its token begins with, and the name that Telegram gives. https://core.telegram.org/bots/api#getme */
export async function findBot(settings: Settings, complain: (words: string) => void): Promise<Settings> {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_BOT_USERNAME: known, TELEGRAM_API_BASE: base } = settings;
  if (token === undefined) return {};
  const [id = ""] = token.split(":");
  const found = { TELEGRAM_BOT_ID: id };
  if (known !== undefined) return found;
  try {
    const url = `${(base ?? "https://api.telegram.org").replace(/\/+$/, "")}/bot${token}/getMe`;
    const response = await fetchDirect(url, { signal: AbortSignal.timeout(ANSWERS_MS_MAX) });
    if (!response.ok)
      throw new Error(`HTTP ${response.status}${response.status === 401 ? ", the token is not good" : ""}`);
    const me = Me.parse(await response.json());
    return { ...found, TELEGRAM_BOT_USERNAME: me.result.username };
  } catch (error) {
    const reason = redact(error instanceof z.core.$ZodError ? "it answered something else" : String(error));
    complain(
      `Telegram does not tell the bot's name (${reason}): ${/\b40[14]\b/.test(reason) ? "mend TELEGRAM_BOT_TOKEN" : "is this machine online? Else"}, or set TELEGRAM_BOT_USERNAME.`,
    );
    return found;
  }
}
