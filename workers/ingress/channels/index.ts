/** The receiving halves of the chat channels: one line for each. */
import type { ChatChannelName } from "../../../shared/channels/index.ts";
import type { Receiver } from "./receiver.ts";
import { telegram } from "./telegram/receiver.ts";

export const receivers: Record<ChatChannelName, Receiver> = { telegram };
