/** The floor's executor: one Workflow a job, with the steps of a task. */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { type Bound, type Job, mark } from "./bound.ts";

export class TaskWorkflow extends WorkflowEntrypoint<Bound, Job> {
  override async run({ payload: job }: Readonly<WorkflowEvent<Job>>, step: WorkflowStep): Promise<void> {
    const { env } = this;
    for (let n = 1; n <= job.calls; n++) {
      await step.do(`plan ${n}`, () => env.PLANNER.nextTurn(job.id, n));
      await step.do(`act ${n}.1`, async () => {
        await env.RUNNER.runCode();
        await mark(env.DB, [job.id], `observed ${n}`);
      });
    }
    await step.do(`plan ${job.calls + 1}`, () => env.PLANNER.nextTurn(job.id, job.calls + 1));
    await step.do("end", async () => {
      await mark(env.DB, [job.id], "ended");
      await env.REPLIES.send(job);
    });
  }
}

export default {
  async queue(batch, env) {
    const jobs = batch.messages.map(({ body }) => body);
    await mark(
      env.DB,
      jobs.map(({ id }) => id),
      "running",
    );
    await Promise.all(jobs.map((params) => env.TASK_WORKFLOW.create({ id: params.id, params })));
  },
} satisfies ExportedHandler<Bound, Job>;
