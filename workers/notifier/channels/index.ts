/** The sending halves of the chat channels: how a text looks there, and how it gets there. Nothing here decides what to say. */
import type { ChatChannelName, ReplyAddress } from "../../../shared/contracts/channel.ts";
import type { NewFile } from "../../../shared/contracts/file.ts";
import type { Timings } from "../../../shared/limits.ts";
import type { Env } from "../env.ts";
import { telegram } from "./telegram.ts";

/** One message's worth of an answer, in the platform's markup and, should that be refused, as plain text. */
export interface Part {
  readonly markup: string;
  readonly plain: string;
}

/** What comes back when it is pressed is `data`. */
export interface Button {
  readonly label: string;
  readonly data: string;
}

export type Sent<Value> =
  | { kind: "ok"; value: Value }
  /** It did not happen, and may later. A rate limit is no attempt. */
  | { kind: "later"; reason: string; retryAfterMs?: number; rateLimited: boolean }
  /** Nobody knows whether it happened. */
  | { kind: "doubt"; reason: string }
  /** The message to edit is not there any more. */
  | { kind: "gone"; reason: string }
  /** This person or chat cannot be reached. */
  | { kind: "undeliverable"; reason: string }
  | Misconfigured;

export type Failed = Exclude<Sent<never>, { kind: "ok" }>;

/** Nothing can be sent until somebody changes the configuration. */
export type Misconfigured = { kind: "misconfigured"; reason: string };

/** A conversation's way out, for the calls of one look. */
export interface Outlet {
  /** The least that tells a person "I am on it", and the question whether the platform is there at all. */
  alive(): Promise<Sent<void>>;
  /** Creates a message and returns its id. The only call that is not idempotent. */
  create(
    part: Part,
    how: { silent: boolean; isFirst: boolean; button: Button | null },
  ): Promise<Sent<string>>;
  /** Edits a message. Repeating it changes nothing. Without a button, whichever was there goes. */
  edit(externalId: string, part: Part, button: Button | null): Promise<Sent<void>>;
  /** Answers a button that was pressed. */
  answer(callbackId: string, text: string): Promise<Sent<void>>;
  remove(externalId: string): Promise<Sent<void>>;
  /** Creates a message that holds a file; one that says `instead` where the platform refuses the file. Not idempotent either. */
  attach(file: NewFile, instead: Part): Promise<Sent<string>>;
}

export interface Sender {
  /** Markdown, split into what one message can hold. At least one part. */
  render(markdown: string): readonly [Part, ...Part[]];
  /** The first words of a part, for the message to be created with. Never equal to a whole part. */
  preview(part: Part): Part;
  /** What somebody has sent, up to the bytes of LIMITS.file_bytes_max. */
  download(env: Env, fileId: string, timings: Timings): Promise<Sent<Uint8Array<ArrayBuffer>>>;
  /** A missing variable is named in the reason. */
  open(
    env: Env,
    reply: { address: ReplyAddress; answers_id: string | null },
    timings: Timings,
  ): Outlet | Misconfigured;
}

export const senders: Record<ChatChannelName, Sender> = { telegram };
