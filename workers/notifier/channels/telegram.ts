/** Telegram, the sending half. https://core.telegram.org/bots/api#sendmessage */
import { Api, GrammyError, HttpError, InputFile } from "grammy";
import { reasonOf } from "../../../shared/errors.ts";
import { fetchDirect, RedirectError } from "../../../shared/fetch.ts";
import { redact } from "../../../shared/log.ts";
import { readBody } from "../../../shared/body.ts";
import { LIMITS, type Timings } from "../../../shared/limits.ts";
import type { Env } from "../env.ts";
import type { Button, Failed, Misconfigured, Outlet, Part, Sender, Sent } from "./index.ts";
import { previewOf, renderTelegram } from "./telegram-html.ts";

const TOO_BIG = `larger than ${LIMITS.file_bytes_max / 1024 ** 2} MiB`;
const PLAIN = { link_preview_options: { is_disabled: true } };
const GONE = ["message to edit not found", "message can't be edited"];
/** What is shown as a picture rather than as a file. */
const PHOTOS: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/webp"]);
const HTML = { ...PLAIN, parse_mode: "HTML" as const };

export const telegram: Sender = {
  render: renderTelegram,
  preview: previewOf,
  open(env, reply, timings) {
    const bot = botOf(env, timings);
    return "kind" in bot ? bot : outlet(bot.api, reply);
  },
  async download(env, fileId, timings) {
    const bot = botOf(env, timings);
    if ("kind" in bot) return bot;
    return attempt(async () => {
      const { file_path: path } = await bot.api.getFile(fileId);
      const signal = AbortSignal.timeout(timings.platform_call_ms);
      const response = await fetchDirect(`${bot.filesUrl}/${path}`, { signal });
      if (!response.ok) throw new Error(`the file answered ${response.status}`);
      const { bytes, cut } = await readBody(response, LIMITS.file_bytes_max);
      if (cut) throw new RangeError(TOO_BIG);
      return bytes.slice();
    });
  },
};

function botOf(env: Env, timings: Timings): { api: Api; filesUrl: string } | Misconfigured {
  const token = env.TELEGRAM_BOT_TOKEN;
  if (token === undefined || token === "") {
    const reason =
      "TELEGRAM_BOT_TOKEN is not set: put the token from @BotFather in .dev.vars, then npm run dead-letters -- replay all";
    return { kind: "misconfigured", reason };
  }
  const base = env.TELEGRAM_API_BASE?.replace(/\/+$/, "") || "https://api.telegram.org";
  const timeoutSeconds = timings.platform_call_ms / 1_000;
  const api = new Api(token, { apiRoot: base, timeoutSeconds, fetch: fetchDirect });
  return { api, filesUrl: `${base}/file/bot${token}` };
}

function outlet(api: Api, { address, answers_id: answersId }: Parameters<Sender["open"]>[1]): Outlet {
  const { threadId } = address;
  let { chatId } = address;
  // Where several people talk, an answer says to what. Groups have negative ids.
  const quoting =
    answersId === null || !chatId.startsWith("-")
      ? {}
      : { reply_parameters: { message_id: Number(answersId), allow_sending_without_reply: true } };
  let thread = threadId === undefined ? {} : { message_thread_id: Number(threadId) };
  /** A group that has become a supergroup has another id, which the refusal names; a topic that is gone is answered beside it. */
  const inChat = <Value>(call: () => Promise<Value>): Promise<Value> =>
    call().catch((error: unknown) => {
      if ("message_thread_id" in thread && says(error, "message thread not found")) {
        thread = {};
        return call();
      }
      const movedTo = error instanceof GrammyError ? error.parameters.migrate_to_chat_id : undefined;
      if (movedTo === undefined || String(movedTo) === chatId) throw error;
      chatId = String(movedTo);
      return call();
    });
  return {
    alive: () => attempt(() => inChat(async () => void (await api.sendChatAction(chatId, "typing", thread)))),
    create: (part, { silent, isFirst, button }) =>
      inMarkupOrPlain(part, (text, options) =>
        inChat(async () => {
          const more = {
            ...options,
            ...thread,
            ...(isFirst && quoting),
            ...markupOf(button),
            disable_notification: silent,
          };
          return String((await api.sendMessage(chatId, text, more)).message_id);
        }),
      ),
    answer: (callbackId, text) =>
      attempt(async () => void (await api.answerCallbackQuery(callbackId, { text }))),
    edit: (externalId, part, button) =>
      inMarkupOrPlain(part, (text, options) =>
        inChat(async () => {
          const more = { ...options, ...markupOf(button) };
          await api.editMessageText(chatId, Number(externalId), text, more).catch(unlessNotModified);
        }),
      ),
    attach: ({ name, mime, content }, instead) =>
      attempt(() =>
        inChat(async () => {
          const asDocument = async () =>
            (await api.sendDocument(chatId, new InputFile(content, name), thread)).message_id;
          const sent = await (
            PHOTOS.has(mime)
              ? // It has opinions on what a photo may measure; a document may be anything.
                api
                  .sendPhoto(chatId, new InputFile(content, name), thread)
                  .then(({ message_id: id }) => id, ifRefused(asDocument))
              : asDocument()
          ).catch(
            ifRefused(
              async () => (await api.sendMessage(chatId, instead.markup, { ...HTML, ...thread })).message_id,
            ),
          );
          return String(sent);
        }),
      ),
    remove: (externalId) =>
      attempt(() => inChat(async () => void (await api.deleteMessage(chatId, Number(externalId))))),
  };
}

function markupOf(button: Button | null) {
  if (button === null) return {};
  return { reply_markup: { inline_keyboard: [[{ text: button.label, callback_data: button.data }]] } };
}

/** Markup that the platform cannot read is sent again as plain text: a plain answer is better than none. */
function inMarkupOrPlain<Value>(
  part: Part,
  send: (text: string, options: typeof PLAIN) => Promise<Value>,
): Promise<Sent<Value>> {
  return attempt(() =>
    send(part.markup, HTML).catch((error: unknown) => {
      if (isAboutContent(error)) return send(part.plain, PLAIN);
      throw error;
    }),
  );
}

/** Does something else where the platform refuses the content, or does not know the method. */
function ifRefused<Value>(other: () => Promise<Value>): (error: unknown) => Promise<Value> {
  return (error) => {
    const isUnknown = error instanceof GrammyError && [404, 413].includes(error.error_code);
    if (isUnknown || isAboutContent(error)) return other();
    throw error;
  };
}

async function attempt<Value>(work: () => Promise<Value>): Promise<Sent<Value>> {
  try {
    return { kind: "ok", value: await work() };
  } catch (error) {
    return failureOf(error);
  }
}

/** https://core.telegram.org/bots/api#making-requests: errors have a code and a description, and no finer name. */
function failureOf(error: unknown): Failed {
  // The words of other errors may hold the URL, and the URL holds the token.
  const reason = redact(reasonOf(error));
  const isRedirect =
    error instanceof RedirectError || (error instanceof HttpError && error.error instanceof RedirectError);
  if (isRedirect) return { kind: "misconfigured", reason: `${reason}: check TELEGRAM_API_BASE` };
  if (error instanceof RangeError) return { kind: "undeliverable", reason };
  if (!(error instanceof GrammyError)) return { kind: "doubt", reason };
  const { error_code: code, parameters } = error;
  if (code === 429) {
    return { kind: "later", reason, retryAfterMs: (parameters.retry_after ?? 1) * 1_000, rateLimited: true };
  }
  // A gateway in between does not know whether the call went through.
  if (code === 502 || code === 504) return { kind: "doubt", reason };
  if (code >= 500) return { kind: "later", reason, rateLimited: false };
  // A token that is malformed or revoked.
  if (code === 401 || code === 404) {
    return {
      kind: "misconfigured",
      reason: `TELEGRAM_BOT_TOKEN is refused by the Bot API (${error.description})`,
    };
  }
  if (GONE.some((words) => says(error, words))) return { kind: "gone", reason };
  return { kind: "undeliverable", reason };
}

/** Other refusals of a request are about what was to be shown. */
function isAboutContent(error: unknown): boolean {
  const known = [
    ...GONE,
    "message is not modified",
    "chat not found",
    "user not found",
    "upgraded to a supergroup",
  ];
  return (
    error instanceof GrammyError && error.error_code === 400 && !known.some((words) => says(error, words))
  );
}

function unlessNotModified(error: unknown): true {
  if (says(error, "message is not modified")) return true;
  throw error;
}

function says(error: unknown, words: string): boolean {
  return error instanceof GrammyError && error.description.toLowerCase().includes(words);
}
