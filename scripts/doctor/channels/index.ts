/** The doctors of the chat channels: one line for each. */
import type { ChatChannelName } from "../../../shared/channels/index.ts";
import type { ChannelDoctor } from "./doctor.ts";
import { telegramDoctor } from "./telegram.ts";

const BY_CHANNEL: Readonly<Record<ChatChannelName, ChannelDoctor>> = { telegram: telegramDoctor };
export const CHANNEL_DOCTORS: readonly ChannelDoctor[] = Object.values(BY_CHANNEL);
