/** Who may be told of alerts: one line for each. */
import { chat } from "./chat.ts";
import { errors } from "./errors.ts";
import type { Sink } from "./sink.ts";
import { webhook } from "./webhook.ts";

export const SINKS: readonly Sink[] = [chat, webhook, errors];
