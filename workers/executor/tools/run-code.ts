/** `run_code`: JavaScript or TypeScript in a fresh isolate of the runner, without network. */
import { readTimings } from "../../../shared/config.ts";
import { decodeCodeForm } from "../../../shared/code-form.ts";
import type { CodeResult, CodeRequest } from "../../../shared/contracts/code.ts";
import { describeError, transient, type Transient } from "../../../shared/errors.ts";
import type { Timings } from "../../../shared/limits.ts";
import { failing, type Run, type ToolResult } from "./tool.ts";

/** The runner and its watchdog keep the time; this much later nobody waits for them any more. */
const PATIENCE_MS = 5_000;
/** From this attempt on, code that the sandbox is lost under is blamed for it: before, it may have been a restart. */
const BLAMED_FROM_ATTEMPT = 3;
const NO_RUNNER =
  "Not done: this installation cannot run code. It is on Workers Free, and code needs the plan Workers Paid; whoever runs it can change the plan and deploy again.";

export const runCode: Run<"run_code"> = async (context, { code }) => {
  const timings = readTimings(context.env);
  const { RUNNER: runner } = context.env;
  if (runner === undefined) return failing(NO_RUNNER);
  try {
    return observe(await ask(runner, code, timings, context.signal), timings);
  } catch (error) {
    const lost = `the sandbox was lost (${describeError(error)})`;
    if (context.attempt >= BLAMED_FROM_ATTEMPT) return failing(`Not done: ${lost} while the code ran.`);
    return transient(lost, timings.sandbox_retry_ms);
  }
};

async function ask(
  runner: Fetcher,
  code: string,
  timings: Timings,
  cancelled: AbortSignal,
): Promise<CodeResult> {
  const { code_wall_ms: wallMs, sandbox_queue_ms: startWithinMs } = timings;
  const request: CodeRequest = { code, wallMs, startWithinMs };
  const response = await runner.fetch("http://runner/run", {
    method: "POST",
    body: JSON.stringify(request),
    // Whoever hangs up has the isolate ended.
    signal: AbortSignal.any([cancelled, AbortSignal.timeout(wallMs + startWithinMs + PATIENCE_MS)]),
  });
  const result = response.ok ? await decodeCodeForm(await response.formData()) : null;
  if (result === null) throw new Error(`it answered ${response.status}`);
  return result;
}

function observe(result: CodeResult, timings: Timings): ToolResult | Transient {
  switch (result.kind) {
    case "not_started":
      return transient("the sandbox is busy", timings.sandbox_retry_ms);
    case "timed_out":
      return failing(`Timed out: it ran longer than ${timings.code_wall_ms / 1_000} s.`);
    case "syntax_error":
      return failing(result.message);
    case "done": {
      const { printed, value, error, files } = result;
      const text = printed === "" ? [] : [{ type: "text" as const, text: printed }];
      return { parts: [...text, ...files.map((file) => ({ type: "file" as const, file }))], value, error };
    }
  }
}
