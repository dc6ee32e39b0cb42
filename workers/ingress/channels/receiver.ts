/** What a receiver of webhooks is given and gives back. Nothing of it sends or stores. */
import type { Body } from "../../../shared/body.ts";
import type { ChannelVariable, ChatAddress } from "../../../shared/channels/index.ts";
import type { InboundEvent } from "../../../shared/contracts/inbound.ts";
import type { SettingsOf } from "../../../shared/variables.ts";

/** What a receiver may know: variables only, nothing that can be called. */
export type ReceiverSettings = SettingsOf<ChannelVariable, "ingress">;

interface WebhookRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** As it came: signatures cover these bytes. */
  readonly body: Body;
  /** Unix milliseconds: signatures are good for a time. */
  readonly now: number;
  /** False where a request that was captured or kept before is read again, without its secret. */
  readonly verify: boolean;
}

/** Not for us: answered, and forgotten. With the platform's own ids, as far as it has any. */
export interface Ignored {
  readonly reason: string;
  readonly dedupKey?: string;
  readonly address?: ChatAddress;
  readonly userId?: string;
}

export type Received =
  /** It is not from the platform, or not of a kind that is served. */
  | {
      readonly kind: "refused";
      readonly status: 400 | 401 | 403 | 405;
      readonly reason: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** A missing variable refuses to serve. */
  | { readonly kind: "unconfigured"; readonly variable: string }
  | {
      readonly kind: "received";
      /** What the platform wants to hear: sent once everything is stored. */
      readonly response: Response;
      readonly events: readonly InboundEvent[];
      readonly ignored: readonly Ignored[];
      /** Why nobody can read it, or a part of it: it is kept, parked, and answered, or the platform would send it for ever. */
      readonly unreadable: string | null;
    };

export interface Receiver {
  /** Verifies, parses and answers a request. Never throws. */
  receive(request: WebhookRequest, settings: ReceiverSettings): Promise<Received>;
}
