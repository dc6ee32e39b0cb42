import ingress from "../../../workers/ingress/index.ts";
import type { Env } from "../../../workers/ingress/env.ts";
import { watched } from "../proxy/bindings.ts";
import { Invocation, within } from "../proxy/invocation.ts";

type Watched = Env & { CONTROL_URL: string };

export default {
  fetch(request, env, ctx) {
    // Reading changes nothing, and tests read often.
    if (request.method === "GET") return ingress.fetch(request, env, ctx);
    const entry = `${request.method} ${new URL(request.url).pathname.replaceAll(/task_\w+|telegram:\d+/g, ":id")}`;
    return within(new Invocation(env.CONTROL_URL, "ingress", entry), () =>
      ingress.fetch(request, watched(env), ctx),
    );
  },
  scheduled: (controller, env) =>
    within(new Invocation(env.CONTROL_URL, "ingress", "clock"), () =>
      ingress.scheduled(controller, watched(env)),
    ),
} satisfies ExportedHandler<Watched>;
