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

/** Counts what one turn costs: it may ask several times, and an answer may break off. */
export class Meter {
  private tokens = 0;
  private microUsd = 0;
  /** Of the call under way. */
  private usage: Usage | null = null;
  private said = 0;
  private readonly price: Price | null;

  constructor(price: Price | null) {
    this.price = price;
  }

  /** The server says what the call has cost so far. */
  onUsage(usage: Usage): void {
    this.usage = usage;
  }

  onText(delta: string): void {
    this.said += countText(delta);
  }

  /** The call was answered. */
  add({ tokensIn, tokensOut, costUsd }: Usage): void {
    this.tokens += tokensIn + tokensOut;
    this.microUsd += Math.round((costUsd ?? 0) * 1_000_000);
    this.reset();
  }

  /**
   * The call broke off: what it was heard to say is paid for, and what it read. Of one that was aborted before it said anything,
   * `tokensIn` is what it will have read; a server that has refused it has read nothing.
   */
  addBroken(tokensIn: number): void {
    const read = this.usage?.tokensIn ?? tokensIn;
    const written = Math.max(this.usage?.tokensOut ?? 0, this.said);
    const costUsd =
      this.price === null ? null : (read * this.price.input + written * this.price.output) / 1_000_000;
    this.add({ tokensIn: read, tokensOut: written, costUsd });
  }

  get spent(): Spent {
    return { tokens: this.tokens, microUsd: this.microUsd };
  }

  private reset(): void {
    this.usage = null;
    this.said = 0;
  }
}
