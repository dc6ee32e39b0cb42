/** The sending halves of the chat channels: one line for each. */
import type { ChatChannelName } from "../../../shared/channels/index.ts";
import type { ChannelAdapter } from "./client.ts";
import { telegram } from "./telegram/adapter.ts";

export const adapters: Record<ChatChannelName, ChannelAdapter> = { telegram };
