/** The embedded sandbox: a shell in an isolate of the runner. Files are sent with each job, and come back with its end. */
import type { CodeResult, LaidFile } from "../../../shared/contracts/code.ts";
import { describeError } from "../../../shared/errors.ts";
import { askRunner, type Runner } from "../runner.ts";
import type { JobEnd, JobState, LeftFile } from "../../../shared/contracts/job.ts";
import type { JobLimits, Sandbox } from "./sandbox.ts";

/** What the shell says of a script whose time was over: see `workers/runner/inside/bash.ts`. */
const LATE = "timed out";

interface Job {
  readonly cancelling: AbortController;
  readonly ended: Promise<JobEnd>;
}

export class EmbeddedSandbox implements Sandbox {
  private readonly runner: Runner;
  /** How long a job may wait for others. */
  private readonly startWithinMs: number;
  private readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  private readonly left = new Map<string, LeftFile>();
  private readonly jobs = new Map<string, Job>();
  private before: Promise<unknown> = Promise.resolve();

  constructor(runner: Runner, startWithinMs: number) {
    this.runner = runner;
    this.startWithinMs = startWithinMs;
  }

  put(files: readonly LaidFile[]): Promise<void> {
    for (const { path, content } of files) this.files.set(path, content);
    return Promise.resolve();
  }

  /** One after the other: each finds what the one before has left. */
  start(jobId: string, script: string, { wallMs }: JobLimits): Promise<void> {
    if (this.jobs.has(jobId)) return Promise.resolve();
    const cancelling = new AbortController();
    const ending = this.before.then(() => this.run(script, wallMs, cancelling.signal));
    this.before = ending;
    this.jobs.set(jobId, { cancelling, ended: ending });
    return Promise.resolve();
  }

  async poll(jobId: string, offset: number, withinMs: number): Promise<JobState> {
    const job = this.jobs.get(jobId);
    if (job === undefined) return { kind: "lost", reason: "nobody knows this job", output: "", next: offset };
    const { promise: waited, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), withinMs);
    const end = await Promise.race([job.ended, waited]);
    clearTimeout(timer);
    // It tells what it has printed when it ends.
    if (end === null) return { kind: "running", output: "", next: offset };
    return { ...end, output: end.output.slice(offset) };
  }

  cancel(jobId: string): Promise<void> {
    this.jobs.get(jobId)?.cancelling.abort();
    return Promise.resolve();
  }

  take(): Promise<LeftFile[]> {
    return Promise.resolve([...this.left.values()]);
  }

  private async run(script: string, wallMs: number, signal: AbortSignal): Promise<JobEnd> {
    if (signal.aborted) return ended("cancelled");
    const files = [...this.files].map(([path, content]) => ({ path, content }));
    const request = { language: "bash" as const, code: script, bash: false, files, wallMs };
    try {
      const result = await askRunner(this.runner, { ...request, startWithinMs: this.startWithinMs }, signal);
      if (signal.aborted) return ended("cancelled");
      if (result.kind === "timed_out") return ended("timed_out");
      if (result.kind === "not_started")
        return { kind: "not_started", reason: "the sandbox is busy", output: "", next: 0 };
      if (result.kind === "no_isolates")
        return { kind: "lost", reason: "it runs no scripts", output: "", next: 0 };
      return this.settle(result);
    } catch (error) {
      if (signal.aborted) return ended("cancelled");
      return { kind: "lost", reason: describeError(error), output: "", next: 0 };
    }
  }

  private settle(result: Extract<CodeResult, { kind: "done" | "syntax_error" }>): JobEnd {
    if (result.kind === "syntax_error") return { kind: "lost", reason: result.message, output: "", next: 0 };
    const { printed: output, value, error, changes } = result;
    const said = { output, next: output.length };
    if (value === null) return { kind: "lost", reason: error ?? "it said nothing", ...said };
    if (error === LATE) return { kind: "timed_out", ...said };
    if (error !== null) return { kind: "refused", reason: error, ...said };
    for (const { path, content } of changes) {
      this.left.set(path, { path, content });
      if (content === null) this.files.delete(path);
      else this.files.set(path, content);
    }
    return { kind: "exited", code: Number(value.json), ...said };
  }
}

const ended = (kind: "cancelled" | "timed_out"): JobEnd => ({ kind, output: "", next: 0 });
