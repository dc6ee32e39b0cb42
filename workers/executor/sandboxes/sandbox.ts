/** Where scripts run: a folder of files, and jobs over it. Every implementation passes `test/sandbox.test.ts`. */
import type { LaidFile } from "../../../shared/contracts/code.ts";

export interface JobLimits {
  /** From its beginning. */
  readonly wallMs: number;
}

/** How a job is; `output` is what it has printed since, and `next` from where to ask on. */
export type JobState = { readonly output: string; readonly next: number } & (
  | { readonly kind: "running" }
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "timed_out" }
  | { readonly kind: "cancelled" }
  /** Others took too long before it: it never began. */
  | { readonly kind: "not_started" }
  /** It has ended, and nothing of what it left can be taken. */
  | { readonly kind: "refused"; readonly reason: string }
  /** What became of it is not known, or it has broken the sandbox. */
  | { readonly kind: "lost"; readonly reason: string }
);

export type JobEnd = Exclude<JobState, { kind: "running" }>;

/** What a job has left: null where a file is gone. Its path is whatever the job made of it. */
export interface LeftFile {
  readonly path: string;
  readonly content: Uint8Array<ArrayBuffer> | null;
}

/** It may vanish at any time, with everything in it: what is to last is taken out. */
export interface Sandbox {
  /** Lays files into its folder. */
  put(files: readonly LaidFile[]): Promise<void>;
  /** Begins a job, and does not wait for it. One whose id it knows is not begun again. */
  start(jobId: string, script: string, limits: JobLimits): Promise<void>;
  /** How the job is, as soon as it has ended, or after that time. */
  poll(jobId: string, offset: number, withinMs: number): Promise<JobState>;
  /** Ends a job with all that it has begun; what it has changed is not taken. */
  cancel(jobId: string): Promise<void>;
  /** What is other than it was put. */
  take(): Promise<LeftFile[]>;
}
