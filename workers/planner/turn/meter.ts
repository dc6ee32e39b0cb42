/** What a model call may cost, before it is made; and what it did cost, however it ended. */
import type { Spent } from "../../../shared/store/statements/spending.ts";
import type { Usage } from "../../../shared/contracts/turn.ts";
import type { ModelRequest, Price, PromptMessage } from "../models/model.ts";

/**
 * UTF-8 bytes to a token. English has four and more, code and JSON about three, and other scripts three or four: what is estimated is
 * rather too much than too little. https://platform.claude.com/docs/en/build-with-claude/token-counting
 */
const BYTES_PER_TOKEN = 3;
/** An image is scaled down to about 1.15 megapixels, of which 750 are a token. */
const TOKENS_PER_IMAGE = 1_600;
/** A page of a PDF is read as text and as an image; one of 30 KB is a usual one. */
const TOKENS_PER_PAGE = 3_000;
const BYTES_PER_PAGE = 30_000;
/** Of a message, a part or a tool: what holds them together. */
const TOKENS_AROUND = 10;

const encoder = new TextEncoder();
const countText = (text: string) => Math.ceil(encoder.encode(text).length / BYTES_PER_TOKEN);

/** Tokens that a request is read as, at most, as far as one can tell. */
export function estimateTokensIn({
  system,
  tools,
  messages,
}: Pick<ModelRequest, "system" | "tools" | "messages">): number {
  const offered = tools.map((tool) => TOKENS_AROUND + countText(JSON.stringify(tool)));
  const told = messages.flatMap(({ parts }) => [TOKENS_AROUND, ...parts.map(countPart)]);
  return [countText(system), ...offered, ...told].reduce((sum, tokens) => sum + tokens, 0);
}

function countPart(part: PromptMessage["parts"][number]): number {
  switch (part.type) {
    case "text":
      return TOKENS_AROUND + countText(part.text);
    case "call":
      return TOKENS_AROUND + countText(part.name) + countText(JSON.stringify(part.input) ?? "");
    case "result":
      return part.parts.reduce((sum, inner) => sum + countPart(inner), TOKENS_AROUND);
    case "image":
      return TOKENS_PER_IMAGE;
    case "document":
      return TOKENS_PER_PAGE * Math.ceil(part.content.length / BYTES_PER_PAGE);
  }
}

/** What a server says is believed within this: nothing has read or written more at once. */
const TOKENS_MAX = 10_000_000;
const bound = (tokens: number) => Math.min(Math.max(0, Math.round(tokens)), TOKENS_MAX);
const isBelievable = (tokens: number) => tokens > 0 && tokens <= TOKENS_MAX;

/** Counts what one turn costs: it may ask several times, and an answer may break off. */
export class Meter {
  private tokens = 0;
  private microUsd = 0;
  /** Of the call under way. */
  private isAccepted = false;
  private usage: Usage | null = null;
  private bytesWritten = 0;
  private readonly price: Price | null;
  private readonly tokensIn: number;

  /** @param tokensIn what a call reads, as it was estimated. */
  constructor(price: Price | null, tokensIn: number) {
    this.price = price;
    this.tokensIn = tokensIn;
  }

  /** The server has begun to answer: what it reads is paid for. */
  onAccepted(): void {
    this.isAccepted = true;
  }

  /** The server says what the call has cost so far. */
  onUsage(usage: Usage): void {
    this.usage = usage;
  }

  /** It has written this: words, a call, thoughts. */
  onWritten(delta: string): void {
    this.bytesWritten += encoder.encode(delta).length;
  }

  /** Of the call under way, as far as is known. */
  get soFar(): { read: number; written: number } {
    const { tokensIn = 0, tokensOut = 0 } = this.usage ?? {};
    const written = Math.ceil(this.bytesWritten / BYTES_PER_TOKEN);
    return {
      read: tokensIn > 0 ? bound(tokensIn) : this.tokensIn,
      written: Math.max(bound(tokensOut), written),
    };
  }

  /** The call was answered. A server that counts nothing, or not what there is, is not believed. */
  add({ tokensIn, tokensOut, costUsd }: Usage): void {
    this.usage = { tokensIn, tokensOut, costUsd };
    const { read, written } = this.soFar;
    const isCounted = isBelievable(tokensIn) && isBelievable(tokensOut) && costUsd !== null;
    this.count(read, tokensOut > 0 ? bound(tokensOut) : written, isCounted ? costUsd : null);
  }

  /** The call broke off: what is known of it is paid for. One that was refused, or never reached, has cost nothing. */
  addBroken({ isAborted }: { isAborted: boolean }): void {
    const { read, written } = this.soFar;
    if (this.isAccepted || isAborted) this.count(read, written, null);
    this.reset();
  }

  get spent(): Spent {
    return { tokens: this.tokens, microUsd: this.microUsd };
  }

  private count(read: number, written: number, costUsd: number | null): void {
    const { input = 0, output = 0 } = this.price ?? {};
    this.tokens += read + written;
    this.microUsd +=
      costUsd === null ? Math.round(read * input + written * output) : Math.round(costUsd * 1_000_000);
    this.reset();
  }

  private reset(): void {
    this.isAccepted = false;
    this.usage = null;
    this.bytesWritten = 0;
  }
}
