import executor, { TaskWorkflow as Real } from "../../../workers/executor/index.ts";
import type { Env } from "../../../workers/executor/env.ts";
import { instrument } from "./instrument.ts";

type Counted = Env & { LEDGER_URL: string };

export class TaskWorkflow extends Real {
  constructor(ctx: ExecutionContext, env: Counted) {
    super(ctx, instrument(env, "executor"));
  }
}

export default {
  queue: (batch, env) => executor.queue(batch, instrument(env, "executor")),
} satisfies ExportedHandler<Counted>;
