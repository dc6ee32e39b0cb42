/**
 * The runner on Workers Free, which has no Dynamic Workers: code is refused, and scripts run in the runner itself. Nothing is bound to it
 * either, so what gets out of the shell finds at most other scripts' files.
 */
import { decodeCodeRequest, encodeCodeForm } from "../../shared/code-form.ts";
import { runScript } from "./inside/bash.ts";

export default {
  /** `POST /run`, as `index.ts` takes it. */
  async fetch(request): Promise<Response> {
    const asked = await decodeCodeRequest(request);
    const result = asked.language === "bash" ? await runScript(asked) : { kind: "no_isolates" as const };
    return new Response(encodeCodeForm(result));
  },
} satisfies ExportedHandler;
