/** Passes on what a model says while it says it, at a pace; and stops listening to one that nobody waits for. */
import type { Timings } from "../../shared/limits.ts";
import { tellText } from "../../shared/store/narration.ts";

export interface Narrated {
  taskId: string;
  n: number;
  claim: string;
}

/** The claim is renewed this many times before it would run out. */
const RENEWALS_PER_CLAIM = 3;

export class Narrator {
  /** Aborts when the model has been silent or at it for too long, or when nobody waits for its turn any more. */
  readonly signal: AbortSignal;
  /** Why nobody waits for it: the task has ended, or the claim went to somebody else. */
  dropped: "ended" | "lost" | null = null;
  /** What was passed on. */
  told = "";
  private heard = "";
  private toldAt = Date.now();
  private readonly stop = new AbortController();
  private silence: ReturnType<typeof setTimeout> | undefined;
  private readonly db: D1Database;
  private readonly timings: Timings;
  private readonly turn: Narrated;

  constructor(db: D1Database, timings: Timings, turn: Narrated) {
    this.db = db;
    this.timings = timings;
    this.turn = turn;
    this.signal = AbortSignal.any([this.stop.signal, AbortSignal.timeout(timings.model_call_ms)]);
    this.listen();
  }

  /** The model said this, or, with "", did something else than speak. */
  async hear(delta: string): Promise<void> {
    this.listen();
    this.heard += delta;
    const sinceMs = Date.now() - this.toldAt;
    const isNews = this.heard !== this.told && sinceMs >= this.timings.text_flush_ms;
    if (isNews || sinceMs >= this.timings.turn_claim_ms / RENEWALS_PER_CLAIM) await this.tell();
  }

  end(): void {
    clearTimeout(this.silence);
  }

  private listen(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.stop.abort(), this.timings.model_silence_ms);
  }

  private async tell(): Promise<void> {
    const now = Date.now();
    this.toldAt = now;
    const { heard } = this;
    const delta = heard.slice(this.told.length);
    const until = now + this.timings.turn_claim_ms;
    const outcome = await tellText(this.db, { ...this.turn, delta, shown: heard, until, now });
    if (outcome === "told") this.told = heard;
    else {
      this.dropped = outcome;
      this.stop.abort();
    }
  }
}
