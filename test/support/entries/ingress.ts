import ingress from "../../../workers/ingress/index.ts";
import type { Env } from "../../../workers/ingress/env.ts";
import { instrument } from "./instrument.ts";

type Counted = Env & { LEDGER_URL: string };

export default {
  fetch: (request, env, ctx) => ingress.fetch(request, instrument(env, "ingress"), ctx),
  scheduled: (controller, env) => ingress.scheduled(controller, instrument(env, "ingress")),
} satisfies ExportedHandler<Counted>;
