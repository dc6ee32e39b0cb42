/** Telegram, the receiving half: updates of the Bot API. https://core.telegram.org/bots/api#update */
import * as z from "zod/mini";
import type { ReceivedFile } from "../../../shared/contracts/file.ts";
import type { InboundEvent } from "../../../shared/contracts/inbound.ts";
import { cleanName } from "../../../shared/files.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { equalInConstantTime } from "../../../shared/signature.ts";
import { beginning, oneLine } from "../../../shared/text.ts";
import type { About, Receiver, Understood } from "./index.ts";
import { type Bot, whatIsSaid } from "./telegram-text.ts";
import { Anywhere, type TelegramMessage, type TelegramQuery, Update } from "./telegram-update.ts";

/** What a message may hold beside or instead of words, and nobody can read. Everything else without words is a service message. */
const UNREADABLE =
  "animation audio contact dice game location paid_media poll sticker story venue video video_note voice".split(
    " ",
  );
const FILES = ["photo", "document"] as const;
const QUOTE_CHARS_MAX = 1_000;

export const telegram: Receiver = {
  async verify({ headers }, env) {
    const secret = env.TELEGRAM_WEBHOOK_SECRET;
    if (secret === undefined || secret === "")
      return { kind: "unconfigured", variable: "TELEGRAM_WEBHOOK_SECRET" };
    const given = headers.get("x-telegram-bot-api-secret-token") ?? "";
    return { kind: (await equalInConstantTime(given, secret)) ? "genuine" : "forged" };
  },

  understand(body, env) {
    const json = parseJson(body);
    if (json === undefined) return { kind: "unreadable", reason: "not JSON" };
    const parsed = Update.safeParse(json);
    if (!parsed.success) return { kind: "unreadable", reason: z.prettifyError(parsed.error) };
    const {
      update_id: id,
      message,
      edited_message: edited,
      callback_query: query,
      my_chat_member: member,
    } = parsed.data;
    const bot = botOf(env);
    if (message !== undefined) return understandMessage(id, message, bot);
    if (edited !== undefined) return asEdit(understandMessage(id, edited, bot));
    if (query !== undefined) return understandQuery(id, query);
    if (member === undefined)
      return ignored("an update of a kind that nobody here reads", {
        dedupKey: String(id),
        ...whereOf(json),
      });
    const about = {
      dedupKey: `${id}:${member.chat.id}`,
      conversationId: String(member.chat.id),
      userId: String(member.from.id),
    };
    return ignored(`the bot is now "${member.new_chat_member.status}" in the chat`, about);
  },
};

/** Where an update of any kind comes from, as far as it says so in the way of the others. */
function whereOf(json: unknown): About {
  const parts = Object.values(z.looseObject({}).safeParse(json).data ?? {});
  const { chat, from, user } = parts.flatMap((part) => Anywhere.safeParse(part).data ?? [])[0] ?? {};
  const person = from ?? user;
  return {
    ...(chat !== undefined && { conversationId: String(chat.id) }),
    ...(person !== undefined && { userId: String(person.id) }),
  };
}

/** The bot's id is the part of its token before the colon; its name has to be told. */
function botOf({
  TELEGRAM_BOT_ID: id,
  TELEGRAM_BOT_USERNAME: username,
}: Parameters<Receiver["understand"]>[1]): Bot {
  return { ...(id && { id }), ...(username && { username: username.replace(/^@/, "") }) };
}

function understandMessage(id: number, message: TelegramMessage, bot: Bot): Understood {
  const { chat, from } = message;
  const threadId = message.is_topic_message === true ? message.message_thread_id : undefined;
  const sender = senderOf(message);
  const about: About = {
    // Update ids are counted per bot; the chat tells two bots apart that served the same database.
    dedupKey: `${id}:${chat.id}`,
    conversationId: String(chat.id),
    ...(threadId !== undefined && { threadId: String(threadId) }),
    ...(from !== undefined && { userId: sender ?? String(from.id) }),
  };
  if (chat.type === "channel") return ignored("a channel's post", about);
  if (message.migrate_to_chat_id !== undefined) return moved(message, about, message.migrate_to_chat_id);
  if (sender === null) return ignored("a message that no person sent", about);
  const malformed = FILES.filter((name) => name in message && message[name] === undefined);
  const attachments = [...UNREADABLE.filter((name) => name in message), ...malformed];
  const files = filesOf(message.photo || message.document ? message : { ...message.reply_to_message });
  const { text, command, toBot } = whatIsSaid(message, bot);
  // Only the bot's name is something said to it.
  if (text === "" && attachments.length + files.length === 0 && toBot === null)
    return ignored("a service message", about);
  const isGroup = chat.type !== "private";
  const isAside = isGroup && !isForBot(message, toBot, command !== null, bot);
  const albumId = message.media_group_id;
  // One picture of an album has its caption, and with it the bot's name.
  if (isAside && (albumId === undefined || text !== "")) return ignored("not said to this bot", about);
  const quote = isTopicRoot(message)
    ? ""
    : (message.reply_to_message?.text ?? message.reply_to_message?.caption ?? "");
  const event: InboundEvent = {
    channel: "telegram",
    kind: command === null ? "message" : "command",
    dedupKey: `${id}:${chat.id}`,
    address: { chatId: String(chat.id), ...(threadId !== undefined && { threadId: String(threadId) }) },
    sender: { id: sender, ...(isGroup && nameOf(message)) },
    text: command === null ? text : `/${command.name}${command.args === "" ? "" : ` ${command.args}`}`,
    messageId: String(message.message_id),
    ...(isGroup && { isGroup }),
    ...(albumId !== undefined && { albumId }),
    ...(isAside && { isAside }),
    ...(quote !== "" && { quote: beginning(quote, QUOTE_CHARS_MAX) }),
    ...(files.length > 0 && { files }),
    ...(attachments.length > 0 && { attachments }),
  };
  return { kind: "event", event };
}

function moved({ chat }: TelegramMessage, { dedupKey = "" }: About, to: number): Understood {
  const chatId = String(chat.id);
  // Nobody in it says so: it is the group itself that moves.
  const event = { dedupKey, address: { chatId }, sender: { id: chatId }, text: "", movedTo: String(to) };
  return { kind: "event", event: { channel: "telegram", kind: "moved", isGroup: true, ...event } };
}

/** What it came with, or what the message came with that it answers: the largest size of a picture; a document, unless it is the film of an animation. */
function filesOf({ photo = [], document, animation }: Partial<TelegramMessage>): ReceivedFile[] {
  const largest = photo.at(-1);
  const pictures = largest === undefined ? [] : [largest];
  return [
    ...pictures.map(({ file_id: id }) => ({
      kind: "photo" as const,
      id,
      name: "photo.jpg",
      mime: "image/jpeg",
    })),
    ...(document === undefined || animation !== undefined
      ? []
      : [
          {
            kind: "document" as const,
            id: document.file_id,
            name: cleanName(document.file_name ?? "document"),
            mime: beginning(document.mime_type ?? "application/octet-stream", 200),
          },
        ]),
  ];
}

/** The person who speaks; an anonymous administrator speaks as the group itself. Null for bots, channels and services. */
function senderOf({ chat, from, sender_chat: as }: TelegramMessage): string | null {
  if (as !== undefined) return as.id === chat.id && chat.type !== "private" ? String(as.id) : null;
  return from === undefined || from.is_bot === true ? null : String(from.id);
}

/** Nothing in a name can be taken for words of anybody else. */
function nameOf({ from, sender_chat: as }: TelegramMessage): { name: string } {
  const name = oneLine(
    (as === undefined ? from?.first_name : "an admin") ?? "",
    LIMITS.person_name_chars_max,
  );
  const clean = name.replace(/[[\]<>:]/g, "").trim();
  return { name: clean || "somebody" };
}

/** In a group: mentioned, answered, or commanded. A bot that does not know its name takes what Telegram's privacy mode lets through. */
function isForBot(message: TelegramMessage, toBot: boolean | null, isCommand: boolean, bot: Bot): boolean {
  if (toBot !== null) return toBot;
  if (isCommand || bot.username === undefined) return true;
  const repliedTo = isTopicRoot(message) ? undefined : message.reply_to_message?.from;
  return (
    repliedTo !== undefined &&
    (String(repliedTo.id) === bot.id || repliedTo.username?.toLowerCase() === bot.username.toLowerCase())
  );
}

function isTopicRoot({ reply_to_message: root }: TelegramMessage): boolean {
  return root?.forum_topic_created !== undefined;
}

function understandQuery(id: number, { id: callbackId, from, message, data }: TelegramQuery): Understood {
  const dedupKey = `${id}:${message?.chat.id ?? from.id}`;
  if (message === undefined || data === undefined) {
    return ignored("a button of a message that is not ours", { dedupKey, userId: String(from.id) });
  }
  const threadId = message.is_topic_message === true ? message.message_thread_id : undefined;
  const event: InboundEvent = {
    channel: "telegram",
    kind: "callback",
    dedupKey,
    address: {
      chatId: String(message.chat.id),
      ...(threadId !== undefined && { threadId: String(threadId) }),
    },
    sender: { id: String(from.id) },
    text: data,
    messageId: String(message.message_id),
    callbackId,
    ...(message.chat.type !== "private" && { isGroup: true }),
  };
  return { kind: "event", event };
}

/** An edited command is not run again: it was understood as it was first said. */
function asEdit(understood: Understood): Understood {
  return understood.kind === "event"
    ? { kind: "event", event: { ...understood.event, edited: true } }
    : understood;
}

function ignored(reason: string, about: About): Understood {
  return { kind: "ignored", reason, about };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
