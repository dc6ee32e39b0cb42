/** What a message or a button of Telegram's says, as an inbound event. */
import type { AddressOf } from "../../../../shared/channels/index.ts";
import type { ReceivedFile } from "../../../../shared/contracts/file.ts";
import type { InboundEvent } from "../../../../shared/contracts/inbound.ts";
import { cleanName } from "../../../../shared/files.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { truncate, toOneLine } from "../../../../shared/text.ts";
import type { Ignored } from "../receiver.ts";
import { type Bot, parseText } from "./text.ts";
import type { ForwardOrigin, TelegramMessage, TelegramQuery } from "./update.ts";

/** What a message may hold beside or instead of words, and nobody can read. Everything else without words is a service message. */
const UNREADABLE =
  "animation audio contact dice game location paid_media poll sticker story venue video video_note voice".split(
    " ",
  );
const FILES = ["photo", "document"] as const;
const QUOTE_CHARS_MAX = 1_000;

export type Parsed =
  | { kind: "event"; event: InboundEvent }
  | { kind: "ignored"; ignored: Ignored }
  | { kind: "unreadable"; reason: string };

/** The address of a chat, or of a topic in it. */
export function readAddress(chat: { id: number }, threadId?: number): AddressOf<"telegram"> {
  const thread = threadId === undefined ? {} : { threadId: String(threadId) };
  return { channel: "telegram", chatId: String(chat.id), ...thread };
}

/** Without `is_topic_message` the thread's id is that of an ordinary reply, and nothing can be sent to it. */
function readTopic(
  message: Pick<TelegramMessage, "message_thread_id" | "is_topic_message">,
): number | undefined {
  return message.is_topic_message === true ? message.message_thread_id : undefined;
}

/** @param id the update's. */
export function parseMessage(id: number, message: TelegramMessage, bot: Bot): Parsed {
  const { chat, from } = message;
  const sender = findSender(message);
  // Update ids are counted per bot; the chat tells two bots apart that served the same database.
  const dedupKey = `${id}:${chat.id}`;
  const address = readAddress(chat, readTopic(message));
  const userId = from === undefined ? {} : { userId: sender ?? String(from.id) };
  const ignored = (reason: string): Parsed => ({
    kind: "ignored",
    ignored: { reason, dedupKey, address, ...userId },
  });
  if (chat.type === "channel") return ignored("a channel's post");
  if (message.migrate_to_chat_id !== undefined) {
    // Nobody in it says so: it is the group itself that migrates.
    const origin = { dedupKey, address: readAddress(chat), sender: { id: String(chat.id) }, isGroup: true };
    const toChatId = String(message.migrate_to_chat_id);
    return { kind: "event", event: { kind: "group_migrated", ...origin, toChatId } };
  }
  if (sender === null) return ignored("a message that no person sent");
  const malformed = FILES.filter((name) => name in message && message[name] === undefined);
  const unreadable = [...UNREADABLE.filter((name) => name in message), ...malformed];
  const files = readFiles(message.photo || message.document ? message : { ...message.reply_to_message });
  const { text, command, toBot } = parseText(message, bot);
  // Only the bot's name is something said to it.
  if (text === "" && unreadable.length + files.length === 0 && toBot === null)
    return ignored("a service message");
  const isGroup = chat.type !== "private";
  const isToOthers = isGroup && !isForBot(message, toBot, command !== null, bot);
  const albumId = message.media_group_id;
  // One picture of an album has its caption, and with it the bot's name.
  if (isToOthers && (albumId === undefined || text !== "")) return ignored("not said to this bot");
  const quote = readQuote(message);
  const origin = message.forward_origin;
  const said = {
    dedupKey,
    address,
    sender: { id: sender, ...(isGroup && readName(message)) },
    isGroup,
    messageId: String(message.message_id),
    text,
    ...(albumId !== undefined && { albumId }),
    ...(isToOthers && { isToOthers }),
    ...(origin !== undefined && { forwardedFrom: readOrigin(origin) }),
    ...readAnswered(message),
    ...(quote !== "" && { quote: truncate(quote, QUOTE_CHARS_MAX) }),
    ...(files.length > 0 && { files }),
    ...(unreadable.length > 0 && { unreadable }),
  };
  return {
    kind: "event",
    event: command === null ? { kind: "message", ...said } : { kind: "command", ...said, command },
  };
}

function readQuote(message: TelegramMessage): string {
  if (isTopicRoot(message)) return "";
  return message.reply_to_message?.text ?? message.reply_to_message?.caption ?? "";
}

/** The person whose message it answers. */
function readAnswered({ reply_to_message: answered }: TelegramMessage) {
  const from = answered?.from;
  if (
    answered === undefined ||
    from === undefined ||
    from.is_bot === true ||
    answered.forum_topic_created !== undefined
  )
    return {};
  return { answersTo: { id: String(from.id), name: cleanPersonName(from.first_name ?? "") } };
}

/** What it came with, or what the message came with that it answers: the largest size of a picture; a document, unless it is the film of an animation. */
function readFiles({ photo = [], document, animation }: Partial<TelegramMessage>): ReceivedFile[] {
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
            mime: truncate(document.mime_type ?? "application/octet-stream", 200),
          },
        ]),
  ];
}

/** The person who speaks; an anonymous administrator speaks as the group itself. Null for bots, channels and services. */
function findSender({ chat, from, sender_chat: as }: TelegramMessage): string | null {
  if (as !== undefined) return as.id === chat.id && chat.type !== "private" ? String(as.id) : null;
  return from === undefined || from.is_bot === true ? null : String(from.id);
}

function readName({ from, sender_chat: as }: TelegramMessage): { name: string } {
  // In brackets, which no name has.
  return { name: as === undefined ? cleanPersonName(from?.first_name ?? "") : "(an admin)" };
}

/** Who wrote what is forwarded. */
function readOrigin(origin: ForwardOrigin): string {
  const { sender_user: person, sender_user_name: hidden, sender_chat: group, chat: channel } = origin;
  const title = channel?.title ?? group?.title;
  if (title === undefined) return cleanPersonName(person?.first_name ?? hidden ?? "");
  return `the ${channel === undefined ? "group" : "channel"} ${cleanPersonName(title)}`;
}

/** Nothing in a name can be taken for words of anybody else: it has no brackets of any script, and nothing that is not seen. */
function cleanPersonName(name: string): string {
  const clean = toOneLine(name, LIMITS.person_name_chars_max).replace(/[<>:\p{Ps}\p{Pe}\p{Cf}]/gu, "");
  return clean.trim() || "somebody";
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

/** A button that was pressed. @param id the update's. */
export function parseQuery(id: number, { id: callbackId, from, message, data }: TelegramQuery): Parsed {
  const dedupKey = `${id}:${message?.chat.id ?? from.id}`;
  if (message === undefined || data === undefined) {
    const reason = "a button of a message that is not ours";
    return { kind: "ignored", ignored: { reason, dedupKey, userId: String(from.id) } };
  }
  const event: InboundEvent = {
    kind: "callback",
    dedupKey,
    address: readAddress(message.chat, readTopic(message)),
    sender: { id: String(from.id) },
    isGroup: message.chat.type !== "private",
    messageId: String(message.message_id),
    data,
    callbackId,
  };
  return { kind: "event", event };
}
