/** Telegram, the receiving half: updates of the Bot API. https://core.telegram.org/bots/api#update */
import * as z from "zod/mini";
import { LIMITS } from "../../../shared/limits.ts";
import { equalInConstantTime } from "../../../shared/signature.ts";
import type { Receiver, Understood } from "./index.ts";

const Update = z.object({
  update_id: z.int(),
  message: z.optional(
    z.object({
      message_id: z.int(),
      chat: z.object({ id: z.int(), type: z.string() }),
      from: z.optional(z.object({ id: z.int(), is_bot: z.boolean() })),
      text: z.optional(z.string().check(z.maxLength(LIMITS.prompt_chars_max))),
    }),
  ),
});

export const telegram: Receiver = {
  async verify({ headers }, env) {
    const secret = env.TELEGRAM_WEBHOOK_SECRET;
    if (secret === undefined || secret === "")
      return { kind: "unconfigured", variable: "TELEGRAM_WEBHOOK_SECRET" };
    const given = headers.get("x-telegram-bot-api-secret-token") ?? "";
    return { kind: (await equalInConstantTime(given, secret)) ? "genuine" : "forged" };
  },

  understand(body) {
    const json = parseJson(body);
    if (json === undefined) return { kind: "unreadable", reason: "not JSON" };
    const update = Update.safeParse(json);
    if (!update.success) return { kind: "unreadable", reason: z.prettifyError(update.error) };
    const { update_id, message } = update.data;
    if (message === undefined) return ignored("an update without a message");
    const { chat, from, text } = message;
    if (chat.type !== "private") return ignored(`a message in a ${chat.type} chat`);
    if (from === undefined || from.is_bot) return ignored("a message that no person sent");
    if (text === undefined || text.trim() === "") return ignored("a message without text");
    return {
      kind: "event",
      event: {
        channel: "telegram",
        // Update ids are counted per bot; the chat tells two bots apart that served the same database.
        dedupKey: `${update_id}:${chat.id}`,
        address: { chatId: String(chat.id) },
        sender: { id: String(from.id) },
        text,
      },
    };
  },
};

const ignored = (reason: string): Understood => ({ kind: "ignored", reason });

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
