import type { WorkflowEvent, WorkflowStep, WorkflowStepConfig } from "cloudflare:workers";
import executor, { TaskWorkflow as Real } from "../../../workers/executor/index.ts";
import type { Env } from "../../../workers/executor/env.ts";
import { deliver } from "../proxy/batches.ts";
import { watched } from "../proxy/bindings.ts";
import { Invocation, within } from "../proxy/invocation.ts";

type Watched = Env & { CONTROL_URL: string };

export class TaskWorkflow extends Real {
  private readonly controlUrl: string;

  constructor(ctx: ExecutionContext, env: Watched) {
    super(ctx, watched(env));
    this.controlUrl = env.CONTROL_URL;
  }

  override run(event: Readonly<WorkflowEvent<unknown>>, step: WorkflowStep): Promise<void> {
    const invocation = this.invocation("run");
    return within(invocation, () => super.run(event, this.watchedStep(step, invocation)));
  }

  /** A step is an effect of the instance, and what happens in it is an invocation of its own. */
  private watchedStep(step: WorkflowStep, invocation: Invocation): WorkflowStep {
    const facade: unknown = {
      do: (name: string, options: WorkflowStepConfig, callback: () => Promise<never>) => {
        const shortName = name.replace(/: [^]*/, "");
        return invocation.effect({ kind: "step", name: shortName }, () =>
          step.do(name, options, () => within(this.invocation(shortName), callback)),
        );
      },
      sleep: (name: string, ms: number) =>
        invocation.effect({ kind: "step", name: "sleep" }, () => step.sleep(name, ms)),
      waitForEvent: (...[name, options]: Parameters<WorkflowStep["waitForEvent"]>) =>
        invocation.effect({ kind: "step", name: "wait" }, () => step.waitForEvent(name, options)),
    };
    return facade as WorkflowStep;
  }

  private invocation(entry: string): Invocation {
    return new Invocation(this.controlUrl, "executor", entry);
  }
}

export default {
  queue: (batch, env, ctx) =>
    deliver(
      batch,
      () => new Invocation(env.CONTROL_URL, "executor", batch.queue),
      (brought) => executor.queue(brought, watched(env), ctx),
    ),
  /** `GET /<task id>`: how its Workflow is. */
  async fetch(request, env) {
    const instance = await env.TASK_WORKFLOW.get(new URL(request.url).pathname.slice(1));
    return Response.json(await instance.status());
  },
} satisfies ExportedHandler<Watched>;
