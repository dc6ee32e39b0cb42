/** One message from a chat app, normalised: what every Receiver produces and triage reads. */
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { ChatChannelName, ReplyAddress } from "./channel.ts";

export const InboundEvent = z.object({
  channel: ChatChannelName,
  /** Equal for redeliveries of one message, different for different messages of the channel. */
  dedupKey: z.string().check(z.minLength(1), z.maxLength(200)),
  address: ReplyAddress,
  sender: z.object({ id: z.string().check(z.minLength(1)) }),
  text: z.string().check(z.minLength(1), z.maxLength(LIMITS.prompt_chars_max)),
});
export type InboundEvent = z.infer<typeof InboundEvent>;

export const inboundEventExample: InboundEvent = {
  channel: "telegram",
  dedupKey: "892252934:218485655",
  address: { chatId: "218485655" },
  sender: { id: "218485655" },
  text: "/run 6 * 7",
};
