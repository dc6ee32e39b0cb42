/** The chat channels: one line for each. */
import * as z from "zod/mini";
import { oneOf } from "../one-of.ts";
import type { AnyChannel } from "./channel.ts";
import { telegram } from "./telegram.ts";

const ALL = [telegram] as const;

type ChatChannel = (typeof ALL)[number];
export type ChatChannelName = ChatChannel["name"];
/** The channel of that name. */
type Named<Name extends ChatChannelName> = Extract<ChatChannel, { name: Name }>;
/** The addresses of a channel. */
export type AddressOf<Name extends ChatChannelName> = z.output<Named<Name>["address"]>;
export type AbilitiesOf<Name extends ChatChannelName> = Named<Name>["abilities"];
export type ChannelVariable = ChatChannel["variables"][number];

export const CHANNELS: readonly AnyChannel[] = ALL;
export const ChatChannelName = z.enum(ALL.map(({ name }) => name));
/** Where an answer goes in a chat, by channel. */
export const ChatAddress = oneOf(
  "channel",
  ALL.map(({ address }) => address),
);
export type ChatAddress = z.infer<typeof ChatAddress>;
export const chatAddressExample: ChatAddress = ALL[0].addressExample;

/** An address as people write it, `telegram:218485655`, with a thread or topic behind another colon; null when it is none. */
export function parsePlace(text: string): ChatAddress | null {
  const [name, chatId, threadId, ...rest] = text.split(":");
  const channel = CHANNELS.find((one) => one.name === name);
  if (channel === undefined || chatId === undefined || rest.length > 0) return null;
  const place = { chatId, ...(threadId !== undefined && { threadId }) };
  return ChatAddress.safeParse(channel.addressAt(place)).data ?? null;
}

/** The description of a channel. */
export function getChannel(name: ChatChannelName): AnyChannel {
  const found = CHANNELS.find((channel) => channel.name === name);
  if (found === undefined) throw new Error(`There is no channel "${name}".`);
  return found;
}
