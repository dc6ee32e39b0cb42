/** `run_code`: JavaScript or TypeScript in a fresh isolate of the runner, without network. */
import { timingsOf } from "../../../shared/config.ts";
import { CodeResult } from "../../../shared/contracts/rpc.ts";
import { reasonOf, transient, type Transient } from "../../../shared/errors.ts";
import type { Timings } from "../../../shared/limits.ts";
import type { Outcome, Tool } from "./index.ts";

/** The runner times its own code; when it is frozen this is how much later its caller gives up. */
const FROZEN_AFTER_MS = 1_000;
/** From this attempt on, code that the sandbox dies under is blamed for it: before, it may have been a restart. */
const BLAMED_FROM_ATTEMPT = 3;

export const runCode: Tool<"run_code"> = async (env, { code }, attempt) => {
  const timings = timingsOf(env);
  const clock = new Clock(timings);
  const request = { code, wallMs: timings.code_wall_ms, startWithinMs: timings.sandbox_queue_ms };
  try {
    const running = env.RUNNER.runCode(request, () => clock.started());
    // It may fail long after nobody waits for it any more.
    running.catch(() => undefined);
    const result = await Promise.race([running.then((value) => CodeResult.parse(value)), clock.over]);
    return observe(result, timings);
  } catch (error) {
    const lost = `the sandbox was lost (${reasonOf(error)})`;
    if (clock.hasStarted && attempt >= BLAMED_FROM_ATTEMPT)
      return { ok: false, text: `Not done: ${lost} while the code ran.`, files: [] };
    return transient(lost, timings.sandbox_retry_ms);
  } finally {
    clock.stop();
  }
};

function observe(result: CodeResult, timings: Timings): Outcome | Transient {
  switch (result.kind) {
    case "not_started":
      return transient("the sandbox is busy", timings.sandbox_retry_ms);
    case "timed_out":
      return {
        ok: false,
        text: `Timed out: it ran longer than ${timings.code_wall_ms / 1_000} s.`,
        files: [],
      };
    case "done": {
      const { printed, value, error, files } = result;
      return { ok: error === null, text: lines(printed, error ?? value), files };
    }
  }
}

const lines = (...parts: (string | null)[]) =>
  parts.filter((part) => part !== null && part !== "").join("\n");

/** Counts the waiting time first and, from the moment the code starts, its running time. */
class Clock {
  hasStarted = false;
  readonly over: Promise<CodeResult>;
  private settle: (result: CodeResult) => void = () => undefined;
  private readonly timings: Timings;
  private timer: ReturnType<typeof setTimeout>;

  constructor(timings: Timings) {
    this.timings = timings;
    this.over = new Promise((resolve) => (this.settle = resolve));
    this.timer = setTimeout(
      () => this.settle({ kind: "not_started" }),
      timings.sandbox_queue_ms + FROZEN_AFTER_MS,
    );
  }

  started(): void {
    this.hasStarted = true;
    this.stop();
    const wallMs = this.timings.code_wall_ms + FROZEN_AFTER_MS;
    this.timer = setTimeout(() => this.settle({ kind: "timed_out" }), wallMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
