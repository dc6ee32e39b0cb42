/** Passes on what a model says while it says it, at a pace; and stops listening to one that nobody waits for. */
import type { Timings } from "../../../shared/limits.ts";
import { narrate } from "../../../shared/store/narrate.ts";
import type { TurnClaim } from "../../../shared/store/statements/guards.ts";

/** The claim is renewed this many times before it would run out. */
const RENEWALS_PER_CLAIM = 3;

/** Tokens that a call has read and written. */
interface Cost {
  readonly read: number;
  readonly written: number;
}

export class Narrator {
  /** Why nobody waits for it: the task has ended, or the claim went to somebody else. */
  abandoned: "ended" | "lost" | null = null;
  /** What was passed on. */
  narrated = "";
  private text = "";
  private soFar: () => Cost = () => ({ read: 0, written: 0 });
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
  }

  /** The model is asked now. The signal aborts when it has been silent or at it for too long, or when nobody waits for its turn any more. */
  begin(soFar: () => Cost): AbortSignal {
    this.soFar = soFar;
    this.awaitText();
    return AbortSignal.any([this.abort.signal, AbortSignal.timeout(this.timings.model_call_ms)]);
  }

  /** The model said this, or, with "", did something else than speak. */
  async onText(delta: string): Promise<void> {
    this.awaitText();
    this.text += delta;
    const sinceMs = Date.now() - this.narratedAt;
    const isNews = this.text !== this.narrated && sinceMs >= this.timings.text_flush_ms;
    if (isNews || sinceMs >= this.timings.turn_claim_ms / RENEWALS_PER_CLAIM) await this.flush();
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
    const { text } = this;
    const delta = text.slice(this.narrated.length);
    const until = now + this.timings.turn_claim_ms;
    const outcome = await narrate(
      this.db,
      { ...this.claim, delta, shown: text, ...this.soFar(), until },
      now,
    );
    if (outcome.kind === "narrated") this.narrated = text;
    else {
      this.abandoned = outcome.kind;
      this.abort.abort();
    }
  }
}
