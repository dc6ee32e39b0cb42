/** The runner, as the executor asks it: see `shared/contracts/code.ts`. */
import { decodeCodeForm, encodeCodeRequest } from "../../shared/code-form.ts";
import type { CodeRequest, CodeResult } from "../../shared/contracts/code.ts";

export type Runner = Pick<Fetcher, "fetch">;

/** The runner and its watchdog keep the time; this much later nobody waits for them any more. */
const PATIENCE_MS = 5_000;
/** From this attempt on, code that the sandbox is lost under is blamed for it: before, it may have been a restart. */
export const BLAMED_FROM_ATTEMPT = 3;
/** Of what only an isolate can run. */
export const NO_ISOLATES =
  "Not done: this installation cannot run code. It is on Workers Free, and code needs the plan Workers Paid; whoever runs it can change the plan and deploy again.";

/** Rejects when the runner is lost. Whoever hangs up has the isolate ended. */
export async function askRunner(
  runner: Runner,
  request: CodeRequest,
  cancelled: AbortSignal,
): Promise<CodeResult> {
  const timeoutMs = request.wallMs + request.startWithinMs + PATIENCE_MS;
  const response = await runner.fetch("http://runner/run", {
    method: "POST",
    body: encodeCodeRequest(request),
    signal: AbortSignal.any([cancelled, AbortSignal.timeout(timeoutMs)]),
  });
  const result = response.ok ? await decodeCodeForm(await response.formData()) : null;
  if (result === null) throw new Error(`it answered ${response.status}`);
  return result;
}
