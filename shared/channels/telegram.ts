/** Telegram. https://core.telegram.org/bots/api */
import * as z from "zod/mini";
import { URL_SHAPE } from "../variables.ts";
import { defineChannel, PlatformId } from "./channel.ts";

export const telegram = defineChannel({
  name: "telegram",
  title: "Telegram",
  address: z.object({
    channel: z.literal("telegram"),
    chatId: PlatformId,
    /** The topic of a forum. */
    threadId: z.optional(PlatformId),
  }),
  addressExample: { channel: "telegram", chatId: "218485655" },
  locate: ({ chatId, threadId }) => ({ chatId, ...(threadId !== undefined && { threadId }) }),
  addressAt: (place) => ({ channel: "telegram", ...place }),
  personId: /^\d{1,16}$/,
  variables: [
    {
      name: "TELEGRAM_BOT_TOKEN",
      workers: ["notifier"],
      secret: true,
      about: ["The bot's token from @BotFather."],
      shape: { pattern: /^\d+:[\w-]+$/, words: "what @BotFather gives: digits, a colon, and letters" },
    },
    {
      name: "TELEGRAM_WEBHOOK_SECRET",
      workers: ["ingress"],
      secret: true,
      made: true,
      about: [
        "Any 1 to 256 characters of A-Z a-z 0-9 _ -, the same as `secret_token` in setWebhook. Without it the webhook answers 503. A deployment makes one.",
      ],
      shape: { pattern: /^[\w-]{1,256}$/, words: "at most 256 characters of A-Z a-z 0-9 _ -" },
    },
    {
      name: "TELEGRAM_BOT_ID",
      workers: ["ingress"],
      secret: false,
      about: ["The part of the token before the colon. Empty: taken from the token."],
    },
    {
      name: "TELEGRAM_BOT_USERNAME",
      workers: ["ingress"],
      secret: false,
      about: [
        "The bot's name, such as my_errand_bot: in groups it answers when it is mentioned, replied to or commanded. Empty: npm start and npm run deploy ask Telegram.",
      ],
    },
    {
      name: "TELEGRAM_ALLOWED_USERS",
      workers: ["planner"],
      secret: false,
      about: [
        "Who may talk to the bot without being let in: ids of users and groups, separated by commas, or * for everybody.",
      ],
      shape: { pattern: /^(?:\*|-?\d+|[,\s])*$/, words: "ids separated by commas, or *" },
    },
    {
      name: "TELEGRAM_API_BASE",
      workers: ["notifier"],
      secret: false,
      about: ["Another server that speaks the Bot API. Empty: https://api.telegram.org"],
      shape: URL_SHAPE("https://api.telegram.org"),
    },
  ],
  required: ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"],
  allowList: "TELEGRAM_ALLOWED_USERS",
  bot: { id: "TELEGRAM_BOT_ID", username: "TELEGRAM_BOT_USERNAME" },
  // Bot tokens, also in /bot<token>/method.
  secretShapes: [/\b(?:bot)?\d{5,}:[\w-]{20,}/g],
  abilities: {
    edit: true,
    // The Bot API has drafts for private chats; until they are used, a message is created and edited.
    drafts: false,
    typing: true,
    buttons: true,
    filesIn: true,
    filesOut: true,
    reactions: false,
    // "After entities parsing". https://core.telegram.org/bots/api#sendmessage
    textUnitsMax: 4_096,
  },
  commands: [
    "status",
    "tasks",
    "stop",
    "approve",
    "deny",
    "policy",
    "usage",
    "new",
    "admit",
    "promote",
    "help",
  ],
});
