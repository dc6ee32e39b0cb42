/** The container sandbox: a conversation's hand, which is a Worker of its own. */
import type { LaidFile } from "../../../shared/contracts/code.ts";
import type { Fetched } from "../../../shared/contracts/event.ts";
import {
  type Begun,
  type HandsRpc,
  JobState,
  type LeftFile,
  type Taken,
} from "../../../shared/contracts/job.ts";
import { describeError } from "../../../shared/errors.ts";
import type { JobLimits, Sandbox } from "./sandbox.ts";

type Unready = Pick<Extract<Begun, { kind: "not_ready" }>, "reason" | "retryAfterMs">;

export class ContainerSandbox implements Sandbox {
  private readonly hands: HandsRpc;
  private readonly conversationId: string;
  private readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  private readonly left = new Map<string, LeftFile>();
  /** When a job began. */
  private readonly begun = new Map<string, number>();
  /** Why a job has not begun. */
  private readonly unready = new Map<string, Unready>();

  constructor(hands: HandsRpc, conversationId: string) {
    this.hands = hands;
    this.conversationId = conversationId;
  }

  put(files: readonly LaidFile[]): Promise<void> {
    for (const { path, content } of files) this.files.set(path, content);
    return Promise.resolve();
  }

  async start(id: string, script: string, { wallMs }: JobLimits): Promise<void> {
    const files = [...this.files].map(([path, content]) => ({ path, content }));
    try {
      const begun = await this.hands.begin(this.conversationId, { id, script, wallMs, files });
      if (begun.kind === "not_ready") this.unready.set(id, begun);
      else this.begun.set(id, begun.startedAt);
    } catch (error) {
      this.unready.set(id, { reason: describeError(error) });
    }
  }

  async poll(jobId: string, offset: number, withinMs: number): Promise<JobState> {
    const unready = this.unready.get(jobId);
    if (unready !== undefined) {
      const { reason, retryAfterMs } = unready;
      const after = retryAfterMs === undefined ? {} : { retryAfterMs };
      return { kind: "not_started", reason, ...after, output: "", next: offset };
    }
    try {
      const polled = await this.hands.poll(this.conversationId, jobId, offset, withinMs);
      const state = JobState.parse(polled);
      if (state.kind !== "exited") return state;
      return this.settle(state, await this.hands.take(this.conversationId, jobId));
    } catch (error) {
      return { kind: "lost", reason: describeError(error), output: "", next: offset };
    }
  }

  cancel(jobId: string): Promise<void> {
    return this.hands.cancel(this.conversationId, jobId);
  }

  /** Since when a job has worked, and what it has asked for through the gate. */
  async tell(jobId: string): Promise<{ startedAt: number | null; fetched: readonly Fetched[] }> {
    const startedAt = this.begun.get(jobId) ?? null;
    const fetched = startedAt === null ? [] : await this.hands.listFetched(this.conversationId, jobId);
    return { startedAt, fetched };
  }

  take(): Promise<LeftFile[]> {
    return Promise.resolve([...this.left.values()]);
  }

  private settle(state: Extract<JobState, { kind: "exited" }>, taken: Taken): JobState {
    const { output, next } = state;
    if (taken.kind !== "taken") return { kind: taken.kind, reason: taken.reason, output, next };
    for (const file of taken.files) {
      this.left.set(file.path, file);
      if (file.content === null) this.files.delete(file.path);
      else this.files.set(file.path, file.content);
    }
    const unkept = taken.unkept.map((words) => `(${words})\n`).join("");
    return { ...state, output: `${output}${unkept}` };
  }
}
