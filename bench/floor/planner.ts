/** The floor's planner: hands on what came in, and writes a turn when it is asked for one. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { type Bound, type Job, mark } from "./bound.ts";

export default class extends WorkerEntrypoint<Bound> {
  override async queue(batch: MessageBatch<Job>): Promise<void> {
    const jobs = batch.messages.map(({ body }) => body);
    await mark(
      this.env.DB,
      jobs.map(({ id }) => id),
      "queued",
    );
    await this.env.TASKS.sendBatch(jobs.map((body) => ({ body })));
  }

  async nextTurn(id: string, n: number): Promise<void> {
    await mark(this.env.DB, [id], `planned ${n}`);
  }
}
