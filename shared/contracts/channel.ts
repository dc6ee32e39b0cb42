/** The ways in and out of Errand. A chat channel has a Receiver in ingress and a Sender in the notifier; `api` is answered by reading. */
import * as z from "zod/mini";

export const ChatChannelName = z.enum(["telegram"]);
export type ChatChannelName = z.infer<typeof ChatChannelName>;

export const ChannelName = z.enum(["api", ...ChatChannelName.options]);
export type ChannelName = z.infer<typeof ChannelName>;

/** Where an answer goes. Part of the conversation and never changed after it was stored. Ids are the platform's own. */
export const ReplyAddress = z.object({
  chatId: z.string().check(z.minLength(1), z.maxLength(200)),
  /** A thread or topic of the chat, into which the answer goes. */
  threadId: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
});
export type ReplyAddress = z.infer<typeof ReplyAddress>;

export const replyAddressExample: ReplyAddress = { chatId: "218485655" };
