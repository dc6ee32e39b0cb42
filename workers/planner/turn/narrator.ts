/** Passes on what a model says while it says it, at a pace; and stops listening to one that nobody waits for. */
import type { Timings } from "../../../shared/limits.ts";
import { narrate } from "../../../shared/store/narrate.ts";
import type { TurnClaim } from "../../../shared/store/statements/guards.ts";

/** The claim is renewed this many times before it would run out. */
const RENEWALS_PER_CLAIM = 3;

export class Narrator {
  /** Aborts when the model has been silent or at it for too long, or when nobody waits for its turn any more. */
  readonly signal: AbortSignal;
  /** Why nobody waits for it: the task has ended, or the claim went to somebody else. */
  abandoned: "ended" | "lost" | null = null;
  /** What was passed on. */
  narrated = "";
  private text = "";
  private tokensRead: number | null = null;
  private narratedAt = Date.now();
  private readonly abort = new AbortController();
  private silence: ReturnType<typeof setTimeout> | undefined;
  private readonly db: D1Database;
  private readonly timings: Timings;
  private readonly claim: TurnClaim;

  constructor(db: D1Database, timings: Timings, claim: TurnClaim) {
    this.db = db;
    this.timings = timings;
    this.claim = claim;
    this.signal = AbortSignal.any([this.abort.signal, AbortSignal.timeout(timings.model_call_ms)]);
    this.awaitText();
  }

  /** The model said this, or, with "", did something else than speak. */
  async onText(delta: string): Promise<void> {
    this.awaitText();
    this.text += delta;
    const sinceMs = Date.now() - this.narratedAt;
    const isNews = this.text !== this.narrated && sinceMs >= this.timings.text_flush_ms;
    if (isNews || sinceMs >= this.timings.turn_claim_ms / RENEWALS_PER_CLAIM) await this.flush();
  }

  /** The model says how much it has read: that is known then, even if nobody hears of its end. */
  onRead(tokens: number): void {
    this.tokensRead = tokens;
  }

  /** The model has answered. */
  stop(): void {
    clearTimeout(this.silence);
  }

  /** What of the answer was not passed on yet. */
  restOf(answer: string): string {
    return answer.startsWith(this.narrated) ? answer.slice(this.narrated.length) : answer;
  }

  private awaitText(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.abort.abort(), this.timings.model_silence_ms);
  }

  private async flush(): Promise<void> {
    const now = Date.now();
    this.narratedAt = now;
    const { text, tokensRead } = this;
    this.tokensRead = null;
    const delta = text.slice(this.narrated.length);
    const until = now + this.timings.turn_claim_ms;
    const outcome = await narrate(this.db, { ...this.claim, delta, shown: text, tokensRead, until }, now);
    if (outcome.kind === "narrated") this.narrated = text;
    else {
      this.abandoned = outcome.kind;
      this.abort.abort();
    }
  }
}
