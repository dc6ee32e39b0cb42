/** The ways in and out of Errand: chats, and `api`, which is answered by reading. */
import * as z from "zod/mini";
import { ChatAddress, chatAddressExample, ChatChannelName } from "../channels/index.ts";

export const ChannelName = z.enum(["api", ...ChatChannelName.options]);
export type ChannelName = z.infer<typeof ChannelName>;

/** A conversation of programs: its name, or the id of the only task in it. */
const ApiAddress = z.object({ channel: z.literal("api"), name: z.string() });

/** Where an answer goes. Part of the conversation and never changed after it was stored. Ids are the platform's own. */
export const ReplyAddress = z.union([ApiAddress, ChatAddress]);
export type ReplyAddress = z.infer<typeof ReplyAddress>;

export const replyAddressExample: ReplyAddress = chatAddressExample;
