import notifier from "../../../workers/notifier/index.ts";
import type { Env } from "../../../workers/notifier/env.ts";
import { instrument } from "./instrument.ts";

export default {
  queue: (batch, env) => notifier.queue(batch, instrument(env, "notifier")),
} satisfies ExportedHandler<Env & { LEDGER_URL: string }>;
