/** What came from a chat app, normalised: what every receiver produces and triage reads. */
import * as z from "zod/mini";
import { PlatformId } from "../channels/channel.ts";
import { ChatAddress, chatAddressExample } from "../channels/index.ts";
import { LIMITS } from "../limits.ts";
import { Command } from "./command.ts";
import { ReceivedFile } from "./file.ts";

const ORIGIN = {
  /** Equal for redeliveries of one event, different for different events of the channel. */
  dedupKey: z.string().check(z.minLength(1), z.maxLength(200)),
  address: ChatAddress,
  sender: z.object({
    id: PlatformId,
    /** What others in the chat see of them. */
    name: z.optional(z.string().check(z.maxLength(LIMITS.person_name_chars_max))),
  }),
  /** Several people are in the chat. */
  isGroup: z.boolean(),
};

const SAID = {
  ...ORIGIN,
  /** The platform's own id of the message within its chat. */
  messageId: PlatformId,
  /** Empty when there are no words: files only, or only the bot's name. */
  text: z.string().check(z.maxLength(LIMITS.prompt_chars_max)),
  /** It replaces what the message with this id said before. */
  edited: z.optional(z.boolean()),
  /** The album that it is a part of: the other parts come within moments. */
  albumId: z.optional(PlatformId),
  /** In a group, said to others: read only together with the part of its album that is said to the bot. */
  isToOthers: z.optional(z.boolean()),
  /** Who wrote it, where the sender only hands it on: its words are somebody else's, and command nothing. */
  forwardedFrom: z.optional(z.string()),
  /** The person whose message it answers. */
  answersTo: z.optional(z.object({ id: PlatformId, name: z.optional(z.string()) })),
  /** The beginning of the message that it answers. */
  quote: z.optional(z.string()),
  /** What it came with, to be read. */
  files: z.optional(z.array(ReceivedFile)),
  /** What else it holds beside words, and nobody can read: "voice", "sticker", … */
  unreadable: z.optional(z.array(z.string())),
};

export const InboundEvent = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("message"), ...SAID }),
  /** `text` is the command as it would be typed. */
  z.object({ kind: z.literal("command"), ...SAID, command: Command }),
  /** A button was pressed: what it holds, and what the platform wants to be answered for it. */
  z.object({
    kind: z.literal("callback"),
    ...ORIGIN,
    messageId: PlatformId,
    data: z.string(),
    callbackId: PlatformId,
  }),
  /** The group has this id from now on. */
  z.object({ kind: z.literal("group_migrated"), ...ORIGIN, toChatId: PlatformId }),
]);
export type InboundEvent = z.infer<typeof InboundEvent>;

/** Somebody has said something. */
export type SaidEvent = Extract<InboundEvent, { kind: "message" | "command" }>;

export const inboundEventExample: InboundEvent = {
  kind: "command",
  dedupKey: "892252934:218485655",
  address: chatAddressExample,
  sender: { id: "218485655" },
  isGroup: false,
  messageId: "6557",
  text: "/run 6 * 7",
  command: { name: "run", args: "6 * 7" },
};
