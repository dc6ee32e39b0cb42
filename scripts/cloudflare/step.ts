/** What is to be done, one thing after the other. A plan is its steps' words; a deploy carries them out. */

export interface Step {
  /** As people read it before and while it happens: `makes the queue errand-tasks`. */
  readonly what: string;
  /** Safe to repeat: whatever it has done before it failed is done. */
  readonly run: () => Promise<void>;
}

/** Carries steps out in their order, and says each as it begins. */
export class Runner {
  private done = 0;
  readonly say: (words: string) => void;
  /** Makes words of what a step threw. */
  private readonly explain: (error: unknown) => string;

  constructor(say: (words: string) => void, explain: (error: unknown) => string) {
    this.say = say;
    this.explain = explain;
  }

  /** Throws at the first that fails, with its words and the reason. `further`: steps that are expected after these. */
  async run(steps: readonly Step[], further = 0): Promise<void> {
    const total = this.done + steps.length + further;
    for (const { what, run } of steps) {
      this.done++;
      this.say(`[${String(this.done).padStart(2)}/${total}] ${what}`);
      try {
        await run();
      } catch (error) {
        throw new Error(
          `✗ ${what}\n${this.explain(error)}\nWhat was done is done: run it again, and it goes on here.`,
          {
            cause: error,
          },
        );
      }
    }
  }
}
