/** Telegram, the receiving half: updates of the Bot API. https://core.telegram.org/bots/api#update */
import * as z from "zod/mini";
import { LIMITS } from "../../../../shared/limits.ts";
import { equalInConstantTime } from "../../../../shared/signature.ts";
import type { Ignored, Received, Receiver, ReceiverSettings } from "../receiver.ts";
import { readAddress, type Parsed, parseMessage, parseQuery } from "./message.ts";
import type { Bot } from "./text.ts";
import { Anywhere, Update } from "./update.ts";

export const telegram: Receiver = {
  async receive({ method, headers, body, verify }, settings) {
    if (method !== "POST")
      return { kind: "refused", status: 405, reason: "Updates come by POST.", headers: { allow: "POST" } };
    const refused = verify ? await checkSecret(headers, settings) : null;
    if (refused !== null) return refused;
    if (body.cut)
      return received({
        kind: "unreadable",
        reason: `larger than ${LIMITS.hook_body_bytes_max} bytes; kept are the first`,
      });
    if (body.text === null) return received({ kind: "unreadable", reason: "not UTF-8" });
    return received(parseUpdate(body.text, readBot(settings)));
  },
};

async function checkSecret(headers: Headers, settings: ReceiverSettings): Promise<Received | null> {
  const secret = settings.TELEGRAM_WEBHOOK_SECRET;
  if (!secret) return { kind: "unconfigured", variable: "TELEGRAM_WEBHOOK_SECRET" };
  const given = headers.get("x-telegram-bot-api-secret-token") ?? "";
  if (await equalInConstantTime(given, secret)) return null;
  return { kind: "refused", status: 401, reason: "The request does not carry this channel's secret." };
}

function received(parsed: Parsed): Received {
  return {
    kind: "received",
    response: Response.json({ ok: true }),
    events: parsed.kind === "event" ? [parsed.event] : [],
    ignored: parsed.kind === "ignored" ? [parsed.ignored] : [],
    unreadable: parsed.kind === "unreadable" ? parsed.reason : null,
  };
}

function parseUpdate(text: string, bot: Bot): Parsed {
  const json = parseJson(text);
  if (json === undefined) return { kind: "unreadable", reason: "not JSON" };
  const parsed = Update.safeParse(json);
  if (!parsed.success) return { kind: "unreadable", reason: z.prettifyError(parsed.error) };
  const { update_id: id, message, edited_message: edited, callback_query: query } = parsed.data;
  if (message !== undefined) return parseMessage(id, message, bot);
  if (edited !== undefined) return asEdit(parseMessage(id, edited, bot));
  if (query !== undefined) return parseQuery(id, query);
  const { my_chat_member: member } = parsed.data;
  if (member === undefined) {
    const reason = "an update of a kind that nobody here reads";
    return { kind: "ignored", ignored: { reason, dedupKey: String(id), ...findWhereabouts(json) } };
  }
  const ignored = {
    reason: `the bot is now "${member.new_chat_member.status}" in the chat`,
    dedupKey: `${id}:${member.chat.id}`,
    address: readAddress(member.chat),
    userId: String(member.from.id),
  };
  return { kind: "ignored", ignored };
}

/** Where an update of any kind comes from, as far as it says so in the way of the others. */
function findWhereabouts(json: unknown): Partial<Ignored> {
  const parts = Object.values(z.looseObject({}).safeParse(json).data ?? {});
  const { chat, from, user } = parts.flatMap((part) => Anywhere.safeParse(part).data ?? [])[0] ?? {};
  const person = from ?? user;
  return {
    ...(chat !== undefined && { address: readAddress(chat) }),
    ...(person !== undefined && { userId: String(person.id) }),
  };
}

/** The bot's id is the part of its token before the colon; its name has to be told. */
function readBot({ TELEGRAM_BOT_ID: id, TELEGRAM_BOT_USERNAME: username }: ReceiverSettings): Bot {
  return { ...(id && { id }), ...(username && { username: username.replace(/^@/, "") }) };
}

/** An edited command is not run again: it was parsed as it was first said. */
function asEdit(parsed: Parsed): Parsed {
  if (parsed.kind !== "event") return parsed;
  const { event } = parsed;
  return event.kind === "message" || event.kind === "command"
    ? { kind: "event", event: { ...event, edited: true } }
    : parsed;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
