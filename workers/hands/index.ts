/** The hands: containers that scripts run in, one for a conversation. Bound to nothing but them; having nothing is their security. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { Begun, HandsRpc, JobOrder, JobState, Taken } from "../../shared/contracts/job.ts";
import type { Fetched } from "../../shared/contracts/event.ts";
import type { Env } from "./hand.ts";

export { Gate } from "./gate.ts";
export { Hand } from "./hand.ts";
export { Toolchain } from "./toolchain.ts";

export default class Hands extends WorkerEntrypoint<Env> implements HandsRpc {
  begin(conversationId: string, order: JobOrder): Promise<Begun> {
    return this.env.HAND.getByName(conversationId).begin(order);
  }

  poll(conversationId: string, jobId: string, offset: number, withinMs: number): Promise<JobState> {
    return this.env.HAND.getByName(conversationId).poll(jobId, offset, withinMs);
  }

  cancel(conversationId: string, id: string): Promise<void> {
    return this.env.HAND.getByName(conversationId).cancel(id);
  }

  listFetched(conversationId: string, jobId: string): Promise<Fetched[]> {
    return this.env.HAND.getByName(conversationId).listFetched(jobId);
  }

  take(conversationId: string, jobId: string): Promise<Taken> {
    return this.env.HAND.getByName(conversationId).take(jobId);
  }
}
