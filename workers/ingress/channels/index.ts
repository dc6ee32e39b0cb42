/** The receiving halves of the chat channels: is it genuine, and what does it say. Nothing here sends or stores. */
import type { ChatChannelName } from "../../../shared/contracts/channel.ts";
import type { InboundEvent } from "../../../shared/contracts/inbound.ts";
import type { Env } from "../env.ts";
import { telegram } from "./telegram.ts";

type Verdict =
  | { kind: "genuine" }
  | { kind: "forged" }
  /** A missing secret refuses to serve: the variable that holds it. */
  | { kind: "unconfigured"; variable: string };

/** The platform's own ids of something that is ignored, as far as it has any. */
export interface About {
  dedupKey?: string;
  conversationId?: string;
  threadId?: string;
  userId?: string;
}

/** What a receiver may know: variables only, nothing that can be called. */
export type Settings = Partial<
  Pick<Env, "TELEGRAM_WEBHOOK_SECRET" | "TELEGRAM_BOT_ID" | "TELEGRAM_BOT_USERNAME">
>;

export type Understood =
  | { kind: "event"; event: InboundEvent }
  /** Not for us: answered, and forgotten. */
  | { kind: "ignored"; reason: string; about: About }
  /** Nobody can read it: answered, so that the platform does not send it for ever, and parked. */
  | { kind: "unreadable"; reason: string };

export interface Receiver {
  verify(request: { headers: Headers }, settings: Settings): Promise<Verdict>;
  /** `body` as it came, decoded as UTF-8. Never throws. */
  understand(body: string, settings: Settings): Understood;
}

export const receivers: Record<ChatChannelName, Receiver> = { telegram };
