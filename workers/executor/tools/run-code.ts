/** `run_code`: JavaScript or TypeScript in a fresh isolate of the runner, without network. */
import { timingsOf } from "../../../shared/config.ts";
import { codeResultOf } from "../../../shared/code-form.ts";
import type { CodeResult, RunCodeRequest } from "../../../shared/contracts/code.ts";
import { reasonOf, transient, type Transient } from "../../../shared/errors.ts";
import type { Timings } from "../../../shared/limits.ts";
import type { Env } from "../env.ts";
import type { Outcome, Tool } from "./index.ts";

/** The runner and its watchdog keep the time; this much later nobody waits for them any more. */
const PATIENCE_MS = 5_000;
/** From this attempt on, code that the sandbox is lost under is blamed for it: before, it may have been a restart. */
const BLAMED_FROM_ATTEMPT = 3;

export const runCode: Tool<"run_code"> = async (env, { code }, attempt) => {
  const timings = timingsOf(env);
  try {
    return observe(await ask(env, code, timings), timings);
  } catch (error) {
    const lost = `the sandbox was lost (${reasonOf(error)})`;
    if (attempt >= BLAMED_FROM_ATTEMPT)
      return { ok: false, text: `Not done: ${lost} while the code ran.`, files: [] };
    return transient(lost, timings.sandbox_retry_ms);
  }
};

async function ask(env: Env, code: string, timings: Timings): Promise<CodeResult> {
  const { code_wall_ms: wallMs, sandbox_queue_ms: startWithinMs } = timings;
  const request: RunCodeRequest = { code, wallMs, startWithinMs };
  const response = await env.RUNNER.fetch("http://runner/run", {
    method: "POST",
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(wallMs + startWithinMs + PATIENCE_MS),
  });
  const result = response.ok ? await codeResultOf(await response.formData()) : null;
  if (result === null) throw new Error(`it answered ${response.status}`);
  return result;
}

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
    case "syntax_error":
      return { ok: false, text: result.message, files: [] };
    case "done": {
      const { printed, value, error, files } = result;
      return { ok: error === null, text: lines(printed, error ?? value), files };
    }
  }
}

const lines = (...parts: (string | null)[]) =>
  parts.filter((part) => part !== null && part !== "").join("\n");
