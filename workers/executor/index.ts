/** The executor: reconciles tasks (`queue`), and does them as one durable Workflow each. */
import { consume } from "../../shared/queue/consume.ts";
import { announceVersion } from "../../shared/version.ts";
import { getBells, type Env } from "./env.ts";
import { reconcile } from "./reconcile.ts";

export { TaskWorkflow } from "./task-workflow.ts";

export default {
  async queue(batch, env, ctx) {
    announceVersion(env, "executor", (work) => ctx.waitUntil(work));
    await consume(batch, {
      stage: "executor",
      db: env.DB,
      bells: getBells(env),
      reconcile: (keys) => reconcile(env, keys),
    });
  },
} satisfies ExportedHandler<Env>;
