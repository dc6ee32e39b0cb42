/** What the executor is bound to: see wrangler/executor.jsonc. */
import type { Doorbell } from "../../shared/contracts/doorbell.ts";
import type { HandsRpc } from "../../shared/contracts/job.ts";
import type { PlannerRpc } from "../../shared/contracts/rpc.ts";
import type { Bells } from "../../shared/queue/doorbell.ts";
import type { OwnVariable, SettingsOf } from "../../shared/variables.ts";

export interface Env extends SettingsOf<OwnVariable, "executor"> {
  DB: D1Database;
  VERSION?: WorkerVersionMetadata;
  TASKS: Queue<Doorbell>;
  REPLIES: Queue<Doorbell>;
  TASK_WORKFLOW: Workflow;
  FILES: R2Bucket;
  PLANNER: PlannerRpc;
  /** `POST /run`: see `shared/contracts/code.ts`. */
  RUNNER: Fetcher;
  /** Only where the installation has chosen containers. */
  HANDS?: HandsRpc;
}

export function getBells(env: Env): Bells {
  return { tasks: env.TASKS, replies: env.REPLIES };
}
