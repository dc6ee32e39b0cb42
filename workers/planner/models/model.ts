/** A prompt and an answer as every protocol understands them: each converts them into its own words, and nobody else knows those. */
import type { Usage } from "../../../shared/contracts/turn.ts";
import type { Permanent, Transient } from "../../../shared/errors.ts";

export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** An image, or a document that a model reads by itself. */
export interface FilePart {
  readonly type: "image" | "document";
  readonly mime: string;
  readonly content: Uint8Array;
}

export interface CallPart {
  readonly type: "call";
  readonly id: string;
  /** As the model called it, whatever that was. */
  readonly name: string;
  readonly input: unknown;
}

export interface ResultPart {
  readonly type: "result";
  readonly callId: string;
  readonly ok: boolean;
  readonly parts: readonly (TextPart | FilePart)[];
}

/** Roles alternate; each call is followed by its result in the next message. */
export type PromptMessage =
  | { readonly role: "user"; readonly parts: readonly (TextPart | FilePart | ResultPart)[] }
  | { readonly role: "assistant"; readonly parts: readonly (TextPart | CallPart)[] };

export interface OfferedTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly inputSchema: object;
}

export interface ModelRequest extends ModelListener {
  /** For a gateway's log. */
  readonly taskId: string;
  readonly conversationId: string;
  readonly tenantId: string;
  readonly system: string;
  readonly tools: readonly OfferedTool[];
  readonly messages: readonly PromptMessage[];
  readonly answerTokensMax: number;
  /** Aborts when the model call's time is over, or nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** What is to be called while the model answers. */
interface ModelListener {
  /** It has begun to answer. */
  onAccepted(): void;
  /** With what it says, and with "" when it does something else than speak. */
  onText(delta: string): Promise<void>;
  /** With whatever it writes: words, calls, thoughts. */
  onWritten(delta: string): void;
  /** With what it has cost so far, as soon as the server says so, and again when it says more. */
  onUsage(usage: Usage): void;
}

/** Dollars per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

export interface ModelAnswer {
  readonly kind: "answer";
  readonly text: string;
  /** Not checked yet: the model may have made up names and inputs. */
  readonly calls: readonly { readonly name: string; readonly input: unknown }[];
  /** `length`: it was cut off. */
  readonly stop: "end" | "refusal" | "length";
  readonly model: string;
  readonly usage: Usage;
}

/** Something in the request is not to the model's liking: without its files it may be. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: string;
}

export interface ModelClient {
  /** Whose model it is, for the log. */
  readonly provider: string;
  /** Null where nobody told it. */
  readonly price: Price | null;
  complete(request: ModelRequest): Promise<ModelAnswer | Transient | Permanent | Refused>;
}
