/** What a person or a program said: words, or a tool called by name. */
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { Command } from "./command.ts";
import { ReceivedFile } from "./file.ts";
import { ToolCall } from "./tools/index.ts";

export const MessageContent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("text"),
    /** Empty only beside files. */
    text: z.string().check(z.maxLength(LIMITS.prompt_chars_max)),
    /** What it commands, where it is a command that a tool carries out. */
    command: z.optional(Command),
    /** Who wrote it, where whoever says it only hands it on. */
    forwardedFrom: z.optional(z.string()),
    /** The beginning of the message that it answers. */
    quote: z.optional(z.string()),
    /** Who says it, where several people talk. */
    from: z.optional(z.string().check(z.maxLength(LIMITS.person_name_chars_max))),
    files: z.optional(z.array(ReceivedFile)),
    /** What it held and nobody could read: "voice", "sticker", … */
    unreadable: z.optional(z.array(z.string())),
  }),
  z.object({ type: z.literal("call"), call: ToolCall }),
]);
export type MessageContent = z.infer<typeof MessageContent>;

export const messageContentExample: MessageContent = { type: "text", text: "How many days until spring?" };
