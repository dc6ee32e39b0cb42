/** What a hand knows of its jobs: kept in its object, which outlives the container. */
import type { Fetched } from "../../shared/contracts/event.ts";
import { LIMITS } from "../../shared/limits.ts";

/** Of files, by path, in hex. */
export type Hashes = ReadonlyMap<string, string>;

/** The job that was begun last. */
export interface Job {
  readonly id: string;
  /** Of what was laid out for it. */
  readonly before: Hashes;
  readonly startedAt: number;
  readonly wallMs: number;
  /** What it has asked for through the gate. */
  readonly fetched: readonly Fetched[];
  /** What is left of it has no way out any more. */
  readonly isOver?: boolean;
}

/** Which of the requests of which job. */
export interface Noted {
  readonly jobId: string;
  readonly nth: number;
}

/** Requests that change nothing where they go. */
const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);
/** Those that may still be asked to begin. */
const CANCELLED_MAX = 20;
/** Whether a job is that one, or that task's. */
export const isOf = (jobId: string, id: string) => jobId === id || jobId.startsWith(`${id}.`);

const hasChanged = ({ fetched }: Job) =>
  fetched.some(({ method, status }) => status !== null && !READING.has(method));

export class Ledger {
  private readonly kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.kv = kv;
  }

  get job(): Job | undefined {
    return this.kv.get<Job>("job");
  }

  begin(job: Omit<Job, "fetched">): void {
    this.put({ ...job, fetched: [] });
  }

  /** What is left of it is led nowhere any more. */
  end(id: string): void {
    const { job } = this;
    if (job?.id === id) this.put({ ...job, isOver: true });
  }

  /** Of a job that was lost: then it is not begun again. */
  hasActed(id: string): boolean {
    const lost = this.kv.get<Job>("lost");
    return lost?.id === id && hasChanged(lost);
  }

  /** It may be begun again, unless it has acted. @returns whether it has changed something elsewhere, as far as anybody can tell. */
  lose(id: string): boolean {
    const { job } = this;
    if (job?.id !== id) return false;
    this.kv.put("lost", job);
    this.kv.delete("job");
    return hasChanged(job);
  }

  /** A job's id, or a task's. */
  cancel(id: string): void {
    this.kv.put("cancelled", [id, ...this.cancelled].slice(0, CANCELLED_MAX));
  }

  isCancelled(jobId: string): boolean {
    return this.cancelled.some((id) => isOf(jobId, id));
  }

  /** A request of the job that runs. Null: it makes too many, or none runs. */
  note(asked: Omit<Fetched, "bytes">): Noted | null {
    const { job } = this;
    if (job === undefined || job.isOver === true || job.fetched.length >= LIMITS.egress_requests_max)
      return null;
    this.put({ ...job, fetched: [...job.fetched, { ...asked, bytes: 0 }] });
    return { jobId: job.id, nth: job.fetched.length };
  }

  /** What came of it. */
  settle({ jobId, nth }: Noted, came: Pick<Fetched, "status" | "bytes">): void {
    const { job } = this;
    if (job?.id !== jobId) return;
    const fetched = job.fetched.map((one, index) => (index === nth ? { ...one, ...came } : one));
    this.put({ ...job, fetched });
  }

  /** Also of a job that was lost. */
  listFetched(jobId: string): readonly Fetched[] {
    const job = this.job ?? this.kv.get<Job>("lost");
    return job?.id === jobId ? job.fetched : [];
  }

  private get cancelled(): readonly string[] {
    return this.kv.get<string[]>("cancelled") ?? [];
  }

  private put(job: Job): void {
    this.kv.put("job", job);
  }
}
