/** The runner: runs code and scripts that nobody trusts. It is bound to nothing but the loader; having nothing is its security. */
import { decodeCodeRequest, encodeCodeForm } from "../../shared/code-form.ts";
import { Ends } from "./ends.ts";
import { runIsolated } from "./isolate.ts";

export { Witness } from "./ends.ts";

interface Env {
  LOADER: WorkerLoader;
  /** "true" where no CPU limit is enforced: the answer says then whether something goes on after it. */
  WATCH_ENDS?: string;
}

/** Isolates that have nothing left to do are over with their answer. */
const ENDS_MS_MAX = 500;

export default {
  /** `POST /run` with a `CodeRequest`; answered by a form (`shared/code-form.ts`). */
  async fetch(request, env, ctx): Promise<Response> {
    if (request.method !== "POST" || new URL(request.url).pathname !== "/run")
      return new Response("There is only POST /run.\n", { status: 404 });
    const asked = await decodeCodeRequest(request);
    const ends = new Ends();
    const watched = env.WATCH_ENDS === "true";
    const witness = watched ? ctx.exports.Witness({}) : undefined;
    const result = await runIsolated({ loader: env.LOADER, ends, witness }, asked);
    const goesOn = watched && !(await ends.areOver(ENDS_MS_MAX));
    return new Response(encodeCodeForm(result), { headers: { "x-goes-on": String(goesOn) } });
  },
} satisfies ExportedHandler<Env>;
