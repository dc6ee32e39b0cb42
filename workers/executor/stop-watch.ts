/** Looks while a call is made whether anybody still waits for it: a stop is a state in D1, whatever becomes of the events that tell of it. */
import { describeError } from "../../shared/errors.ts";
import { log } from "../../shared/log.ts";
import { isTaskActive } from "../../shared/store/start-call.ts";

export class StopWatch {
  private readonly abort = new AbortController();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(db: D1Database, taskId: string, everyMs: number) {
    const look = async () => {
      if (await isTaskActive(db, taskId)) return;
      this.end();
      this.abort.abort();
    };
    this.timer = setInterval(() => {
      look().catch((error: unknown) => {
        // It looks again. Should the database stay away, the call ends by its own time.
        log("warn", {
          stage: "executor",
          effect: "not looked",
          task_id: taskId,
          detail: describeError(error),
        });
      });
    }, everyMs);
  }

  /** Aborts when the task has ended. */
  get signal(): AbortSignal {
    return this.abort.signal;
  }

  end(): void {
    clearInterval(this.timer);
  }
}
