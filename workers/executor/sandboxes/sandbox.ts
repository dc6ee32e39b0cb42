/** Where scripts run: a folder of files, and jobs over it. Every implementation passes `test/sandbox/contract.ts`. */
import type { LaidFile } from "../../../shared/contracts/code.ts";
import type { JobState, LeftFile } from "../../../shared/contracts/job.ts";

export interface JobLimits {
  /** From its beginning. */
  readonly wallMs: number;
}

/** It may vanish at any time, with everything in it: what is to last is taken out. */
export interface Sandbox {
  /** Lays files into its folder. */
  put(files: readonly LaidFile[]): Promise<void>;
  /** Begins a job, and does not wait for it. One whose id it knows is not begun again. One job at a time: the one before has ended. */
  start(jobId: string, script: string, limits: JobLimits): Promise<void>;
  /** How the job is, as soon as it has ended, or after that time. */
  poll(jobId: string, offset: number, withinMs: number): Promise<JobState>;
  /** Ends a job with all that it has begun; what it has changed is not taken. */
  cancel(jobId: string): Promise<void>;
  /** What is other than it was put, when its job has ended by itself. */
  take(): Promise<LeftFile[]>;
}
