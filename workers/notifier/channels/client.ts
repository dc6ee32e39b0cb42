/** A conversation's way out: what a channel's client can do, by the abilities that its description claims. Nothing here decides what to say. */
import * as z from "zod/mini";
import type { Abilities } from "../../../shared/channels/channel.ts";
import type { AbilitiesOf, AddressOf, ChatAddress, ChatChannelName } from "../../../shared/channels/index.ts";
import type { NewFile } from "../../../shared/contracts/file.ts";
import type { Timings } from "../../../shared/limits.ts";
import type { Env } from "../env.ts";

/** What comes back when it is pressed is `data`. */
export interface Button {
  readonly label: string;
  readonly data: string;
}

/** Nothing can be sent until somebody changes the configuration. */
export type Misconfigured = { kind: "misconfigured"; reason: string };

export type Failed =
  /** It did not happen, and may later. A rate limit is no attempt. */
  | { kind: "later"; reason: string; retryAfterMs?: number; rateLimited: boolean }
  /** Nobody knows whether it happened. */
  | { kind: "doubt"; reason: string }
  /** The message to edit is not there any more. */
  | { kind: "gone"; reason: string }
  /** This person or chat cannot be reached. */
  | { kind: "undeliverable"; reason: string }
  | Misconfigured;

export type Sent<Value> = { kind: "ok"; value: Value } | Failed;

/** What has become of a message whose creation is in doubt. */
export type Settled =
  | { kind: "found"; externalId: string }
  /** It is certain that there is none. */
  | { kind: "absent" }
  /** The platform cannot tell, and would take another. */
  | { kind: "unknown" }
  | Exclude<Failed, { kind: "doubt" }>;

interface CreateOptions {
  /** No phone buzzes. */
  readonly silent: boolean;
  /** It is the first of an answer: where several people talk, it says what it answers. */
  readonly isFirst: boolean;
  readonly buttons: readonly Button[];
}

/** What every client can do. `Part` is one message's worth of a text, in whatever form the platform takes it: only the channel knows. */
interface Creating<Part> {
  /** Markdown, split into what one message can hold. At least one part. */
  render(markdown: string): readonly [Part, ...Part[]];
  /** Creates a message and returns its id. The only call that is not idempotent. */
  create(part: Part, options: CreateOptions): Promise<Sent<string>>;
  /** Finds out about a message of this part whose creation nobody heard the outcome of. Done again, it changes nothing. */
  settle(part: Part): Promise<Settled>;
}

interface Editing<Part> {
  /** The first words of a part, for a message to be created with. Never equal to a whole part. */
  preview(part: Part): Part;
  /** Repeating it changes nothing. Buttons that are not named go. */
  edit(externalId: string, part: Part, buttons: readonly Button[]): Promise<Sent<void>>;
  remove(externalId: string): Promise<Sent<void>>;
}

interface Drafting<Part> {
  /** Repeating it changes nothing. */
  show(part: Part): Promise<Sent<void>>;
}

interface Typing {
  /** The least that tells a person "I am on it". */
  show(): Promise<Sent<void>>;
}

interface Pressing {
  /** Answers a button that was pressed. */
  answer(callbackId: string, text: string): Promise<Sent<void>>;
}

interface Attaching<Part> {
  /** Creates a message that holds a file; one that says `instead` where the platform refuses the file. Not idempotent either. */
  attach(file: NewFile, instead: Part): Promise<Sent<string>>;
}

type If<Can extends boolean, Methods> = Can extends true ? Methods : null;

/** A client has the methods of every ability that its channel claims, and null for those that it does not. */
export interface ChannelClient<Can extends Abilities, Part> extends Creating<Part> {
  readonly editing: If<Can["edit"], Editing<Part>>;
  readonly drafts: If<Can["drafts"], Drafting<Part>>;
  readonly typing: If<Can["typing"], Typing>;
  readonly buttons: If<Can["buttons"], Pressing>;
  readonly files: If<Can["filesOut"], Attaching<Part>>;
}

/** A client whose channel nobody has to know: its parts are only handed back to it. */
export type AnyClient = ChannelClient<Abilities, unknown>;

export interface Conversation<Address> {
  readonly address: Address;
  /** The platform's own id of the message that is answered. */
  readonly answersId: string | null;
}

/** How a platform sees our webhook. */
export interface WebhookState {
  /** Empty: it sends to nobody. */
  readonly url: string;
  /** Messages that it could not deliver yet. */
  readonly pending: number;
  /** In the platform's own words, at Unix milliseconds. */
  readonly lastError: { readonly at: number; readonly words: string } | null;
}

type AskWebhook = (env: Env, timings: Timings) => Promise<Sent<WebhookState>>;

type Download = (env: Env, fileId: string, timings: Timings) => Promise<Sent<Uint8Array<ArrayBuffer>>>;

interface Definition<Name extends ChatChannelName> {
  /** A missing variable is named in the reason. */
  open(
    env: Env,
    conversation: Conversation<AddressOf<Name>>,
    timings: Timings,
  ): ChannelClient<AbilitiesOf<Name>, unknown> | Misconfigured;
  /** What somebody has sent, up to the bytes of LIMITS.file_bytes_max. */
  readonly download: If<AbilitiesOf<Name>["filesIn"], Download>;
  /** Null where the platform does not tell. */
  readonly askWebhook: AskWebhook | null;
}

/** The sending half of a channel. */
export interface ChannelAdapter {
  open(env: Env, conversation: Conversation<ChatAddress>, timings: Timings): AnyClient | Misconfigured;
  readonly download: Download | null;
  readonly askWebhook: AskWebhook | null;
}

/** @returns the sending half of the channel, which refuses addresses that are not its own. */
export function defineAdapter<Name extends ChatChannelName>(
  channel: { readonly address: z.ZodMiniType<AddressOf<Name>> },
  definition: Definition<Name>,
): ChannelAdapter {
  return {
    download: definition.download,
    askWebhook: definition.askWebhook,
    open: (env, { address, answersId }, timings) =>
      definition.open(env, { address: z.parse(channel.address, address), answersId }, timings),
  };
}
