/** One chat of Telegram's, or one topic of a forum. */
import { type Api, InputFile } from "grammy";
import type { AbilitiesOf, AddressOf } from "../../../../shared/channels/index.ts";
import type { Button, ChannelClient, Conversation, Sent } from "../client.ts";
import { tryCall, ifRefused, isAboutContent, unlessNotModified } from "./failures.ts";
import { type Part, renderPreview, render } from "./render.ts";
import { Whereabouts } from "./whereabouts.ts";

const PLAIN = { link_preview_options: { is_disabled: true } };
const HTML = { ...PLAIN, parse_mode: "HTML" as const };
/** What is shown as a picture rather than as a file. */
const PHOTOS: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/webp"]);

export function openClient(
  api: Api,
  { address, answersId }: Conversation<AddressOf<"telegram">>,
): ChannelClient<AbilitiesOf<"telegram">, Part> {
  const chat = new Whereabouts(address);
  // Where several people talk, an answer says to what. Groups have negative ids.
  const quoting =
    answersId === null || !address.chatId.startsWith("-")
      ? {}
      : { reply_parameters: { message_id: Number(answersId), allow_sending_without_reply: true } };
  const sendTyping = () =>
    tryCall(() => chat.reach(async (id, thread) => void (await api.sendChatAction(id, "typing", thread))));
  return {
    render,
    create: (part, { silent, isFirst, buttons }) =>
      inMarkupOrPlain(part, (text, options) =>
        chat.reach(async (id, thread) => {
          const more = {
            ...options,
            ...thread,
            ...(isFirst && quoting),
            ...buildKeyboard(buttons),
            disable_notification: silent,
          };
          return String((await api.sendMessage(id, text, more)).message_id);
        }),
      ),
    /** The Bot API cannot list messages: all that can be asked is whether it is there to take another. */
    async settle() {
      const reached = await sendTyping();
      if (reached.kind === "ok") return { kind: "unknown" };
      return reached.kind === "doubt" ? { ...reached, kind: "later", rateLimited: false } : reached;
    },
    editing: {
      preview: renderPreview,
      edit: (externalId, part, buttons) =>
        inMarkupOrPlain(part, (text, options) =>
          chat.reach(async (id) => {
            const more = { ...options, ...buildKeyboard(buttons) };
            await api.editMessageText(id, Number(externalId), text, more).catch(unlessNotModified);
          }),
        ),
      remove: (externalId) =>
        tryCall(() => chat.reach(async (id) => void (await api.deleteMessage(id, Number(externalId))))),
    },
    drafts: null,
    typing: { show: sendTyping },
    buttons: {
      answer: (callbackId, text) =>
        tryCall(async () => void (await api.answerCallbackQuery(callbackId, { text }))),
    },
    files: {
      attach: (file, instead) =>
        tryCall(() =>
          chat.reach(async (id, thread) => {
            const content = () => new InputFile(file.content, file.name);
            const asDocument = async () => (await api.sendDocument(id, content(), thread)).message_id;
            // It has opinions on what a photo may measure; a document may be anything.
            const asPhoto = () =>
              api.sendPhoto(id, content(), thread).then((sent) => sent.message_id, ifRefused(asDocument));
            const asText = async () =>
              (await api.sendMessage(id, instead.markup, { ...HTML, ...thread })).message_id;
            return String(await (PHOTOS.has(file.mime) ? asPhoto() : asDocument()).catch(ifRefused(asText)));
          }),
        ),
    },
  };
}

/** A row for each button. */
function buildKeyboard(buttons: readonly Button[]) {
  if (buttons.length === 0) return {};
  const rows = buttons.map(({ label, data }) => [{ text: label, callback_data: data }]);
  return { reply_markup: { inline_keyboard: rows } };
}

/** Markup that the platform cannot read is sent again as plain text: a plain answer is better than none. */
function inMarkupOrPlain<Value>(
  part: Part,
  send: (text: string, options: typeof PLAIN) => Promise<Value>,
): Promise<Sent<Value>> {
  return tryCall(() =>
    send(part.markup, HTML).catch((error: unknown) => {
      if (isAboutContent(error)) return send(part.plain, PLAIN);
      throw error;
    }),
  );
}
