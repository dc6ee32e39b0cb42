/** One message from a chat app, normalised: what every Receiver produces and triage reads. */
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { ChatChannelName, ReplyAddress } from "./channel.ts";
import { ReceivedFile } from "./file.ts";

export const InboundEvent = z.object({
  channel: ChatChannelName,
  /** Equal for redeliveries of one message, different for different messages of the channel. */
  dedupKey: z.string().check(z.minLength(1), z.maxLength(200)),
  address: ReplyAddress,
  sender: z.object({
    id: z.string().check(z.minLength(1)),
    /** What others in the chat see of them. */
    name: z.optional(z.string().check(z.maxLength(LIMITS.person_name_chars_max))),
  }),
  /** Empty when there are no words: attachments only, or only the bot's name. */
  text: z.string().check(z.maxLength(LIMITS.prompt_chars_max)),
  /** A command begins with a slash and its name; the text of a callback is what the button holds. */
  kind: z.optional(z.enum(["message", "command", "callback", "moved"])),
  /** The group has this id from now on. */
  movedTo: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
  /** The platform's own id of the message within its chat. */
  messageId: z.optional(z.string()),
  /** It replaces what the message with this id said before. */
  edited: z.optional(z.boolean()),
  /** Several people are in the chat. */
  isGroup: z.optional(z.boolean()),
  /** The album that it is a part of: the other parts come within moments. */
  albumId: z.optional(z.string().check(z.maxLength(200))),
  /** In a group, said to others: read only together with the part of its album that is said to the bot. */
  isAside: z.optional(z.boolean()),
  /** The beginning of the message that it answers. */
  quote: z.optional(z.string()),
  /** What it came with, to be read. */
  files: z.optional(z.array(ReceivedFile)),
  /** What the platform wants to be answered for a button. */
  callbackId: z.optional(z.string().check(z.maxLength(200))),
  /** What else it holds beside words, and nobody can read: "voice", "sticker", … */
  attachments: z.optional(z.array(z.string())),
});
export type InboundEvent = z.infer<typeof InboundEvent>;

export const inboundEventExample: InboundEvent = {
  channel: "telegram",
  dedupKey: "892252934:218485655",
  address: { chatId: "218485655" },
  sender: { id: "218485655" },
  text: "/run 6 * 7",
  kind: "command",
  messageId: "6557",
};
