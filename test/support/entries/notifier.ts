import notifier from "../../../workers/notifier/index.ts";
import type { Env } from "../../../workers/notifier/env.ts";
import { deliver } from "../proxy/batches.ts";
import { watched } from "../proxy/bindings.ts";
import { Invocation, watchFetch } from "../proxy/invocation.ts";

watchFetch();

export default {
  queue: (batch, env) =>
    deliver(
      batch,
      () => new Invocation(env.CONTROL_URL, "notifier", batch.queue),
      (brought) => notifier.queue(brought, watched(env)),
    ),
} satisfies ExportedHandler<Env & { CONTROL_URL: string }>;
