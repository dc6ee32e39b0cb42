/**
 * One conversation's hand: a container with the conversation's files in it, and one job at a time. It may vanish with all that is in it;
 * what is known of the job here says then what became of it.
 */
import { DurableObject } from "cloudflare:workers";
import type { Begun, JobOrder, JobState, Taken } from "../../shared/contracts/job.ts";
import type { Fetched } from "../../shared/contracts/event.ts";
import { describeError } from "../../shared/errors.ts";
import { LIMITS, TIMINGS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { readEgress } from "../../shared/policy/egress.ts";
import type { OwnVariable, SettingsOf } from "../../shared/variables.ts";
import { Mutex } from "../../shared/mutex.ts";
import { beginJob, endJob, isRunning, type Look, lookAtJob } from "./job.ts";
import type { Toolchain, Tools } from "./toolchain.ts";
import { Machine } from "./machine.ts";
import { type Hashes, layOut, takeOut } from "./workspace.ts";

export interface Env extends SettingsOf<OwnVariable, "hands"> {
  HAND: DurableObjectNamespace<Hand>;
  TOOLCHAIN: DurableObjectNamespace<Toolchain>;
}

/** Of this many objects one may have a container that starts: some do not for minutes, while others do. */
const OBJECTS_MAX = 3;
const NEXT = "~";
/** It looks after itself this often while there is a container. */
const ALARM_MS = 60_000;
/** A container that nobody has used for so long is ended. */
const IDLE_MS = TIMINGS.container_idle_ms;
/** A job ends by its own clock; one that has not by then is ended here. */
const GRACE_MS = 15_000;
const LOOK_MS_MIN = 100;
const LOOK_MS_MAX = 2_000;
const LOOK_GROWTH = 1.5;
/** A job that ended before its time was not ended for the time's sake. */
const CLOCK_SLACK_MS = 500;

/** What is known of the job that was begun last. */
interface Job {
  readonly id: string;
  readonly before: Hashes;
  readonly startedAt: number;
  readonly wallMs: number;
  /** By their numbers, in their order. */
  readonly fetched: readonly Fetched[];
}

/** Requests that change nothing where they go. */
const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** Those that may still be asked to begin. */
const CANCELLED_MAX = 20;
/** Whether a job is that one, or that task's. */
const isOf = (jobId: string, id: string) => jobId === id || jobId.startsWith(`${id}.`);

const NOTHING_PRINTED = { output: "", next: 0 };

export class Hand extends DurableObject<Env> {
  private readonly mutex = new Mutex();
  private readonly machine: Machine | null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { container } = ctx;
    this.machine = container === undefined ? null : new Machine(container);
    void ctx.blockConcurrencyWhile(async () => this.machine?.stayAlive().catch(() => undefined));
  }

  /** Begins a job, unless it was begun before; whatever job was there before it is over. */
  begin(order: JobOrder): Promise<Begun> {
    const elsewhere = this.elsewhere();
    if (elsewhere !== null) return elsewhere.begin(order);
    return this.mutex.run(() => this.beginHere(order));
  }

  /** How the job is, as soon as it has ended, or after that time. @param offset in bytes of what it has printed. */
  async poll(id: string, offset: number, withinMs: number): Promise<JobState> {
    const elsewhere = this.elsewhere();
    if (elsewhere !== null) return elsewhere.poll(id, offset, withinMs);
    const until = Date.now() + withinMs;
    for (let waitMs = LOOK_MS_MIN; ; waitMs = Math.min(waitMs * LOOK_GROWTH, LOOK_MS_MAX)) {
      const leftMs = until - Date.now();
      if (leftMs <= 0 || !(await this.goesOn(id))) return this.look(id, offset);
      await scheduler.wait(Math.min(waitMs, leftMs));
    }
  }

  /** Ends the job, or that of a task, with all that it has begun; one that was not begun yet never will be. */
  async cancel(id: string): Promise<void> {
    const elsewhere = this.elsewhere();
    if (elsewhere !== null) return elsewhere.cancel(id);
    await this.mutex.run(async () => {
      const cancelled = [id, ...this.cancelled()].slice(0, CANCELLED_MAX);
      this.ctx.storage.kv.put("cancelled", cancelled);
      const job = this.job();
      if (job !== undefined && isOf(job.id, id) && this.machine?.isRunning === true)
        await endJob(this.machine, job.id);
    });
  }

  /** What the job has left that is other than it was. */
  take(id: string): Promise<Taken> {
    const elsewhere = this.elsewhere();
    if (elsewhere !== null) return elsewhere.take(id);
    return this.mutex.run(async () => {
      const job = this.job();
      if (job?.id !== id || this.machine?.isRunning !== true)
        return { kind: "lost", reason: CONTAINER_ENDED };
      try {
        return await takeOut(this.machine, job.before);
      } catch (error) {
        return { kind: "lost", reason: describeError(error) };
      }
    });
  }

  /** The gate's: a request of the job that runs. @returns its number; null where there were too many. */
  note(asked: Omit<Fetched, "bytes">): number | null {
    const job = this.job();
    if (job === undefined || job.fetched.length >= LIMITS.egress_requests_max) return null;
    this.ctx.storage.kv.put<Job>("job", { ...job, fetched: [...job.fetched, { ...asked, bytes: 0 }] });
    return job.fetched.length;
  }

  /** The gate's: what came of it. */
  settle(nth: number, came: Pick<Fetched, "status" | "bytes">): void {
    const job = this.job();
    if (job === undefined) return;
    const fetched = job.fetched.map((one, index) => (index === nth ? { ...one, ...came } : one));
    this.ctx.storage.kv.put<Job>("job", { ...job, fetched });
  }

  listFetched(id: string): Promise<Fetched[]> {
    const elsewhere = this.elsewhere();
    if (elsewhere !== null) return elsewhere.listFetched(id);
    const job = this.job() ?? this.ctx.storage.kv.get<Job>("lost");
    return Promise.resolve(job?.id === id ? [...job.fetched] : []);
  }

  /** Ends what nobody uses any more, and a job that has overslept. */
  override async alarm(): Promise<void> {
    if (this.machine?.isRunning !== true) {
      this.ctx.storage.kv.delete("moved");
      return;
    }
    const job = this.job();
    if (job !== undefined && Date.now() > job.startedAt + job.wallMs + GRACE_MS)
      await endJob(this.machine, job.id).catch(() => undefined);
    if (Date.now() > (this.ctx.storage.kv.get<number>("used_at") ?? 0) + IDLE_MS) {
      log("info", { stage: "hands", effect: "ended", detail: "idle" });
      await this.machine.stop("idle");
      return;
    }
    await this.machine.stayAlive();
    await this.ctx.storage.setAlarm(Date.now() + ALARM_MS);
  }

  /** Jobs and tasks, the newest first. */
  private cancelled(): readonly string[] {
    return this.ctx.storage.kv.get<string[]>("cancelled") ?? [];
  }

  private isCancelled(id: string): boolean {
    return this.cancelled().some((one) => isOf(id, one));
  }

  private job(): Job | undefined {
    return this.ctx.storage.kv.get<Job>("job");
  }

  /** Where the work went when no container started here. */
  private elsewhere(): DurableObjectStub<Hand> | null {
    if (this.ctx.storage.kv.get<boolean>("moved") !== true) return null;
    return this.next();
  }

  private next(): DurableObjectStub<Hand> | null {
    const name = this.ctx.id.name ?? "";
    const nth = name.split(NEXT).length;
    return name === "" || nth >= OBJECTS_MAX ? null : this.env.HAND.getByName(`${name}${NEXT}`);
  }

  private async beginHere(order: JobOrder): Promise<Begun> {
    const { machine } = this;
    const job = this.job();
    if (job?.id === order.id || this.isCancelled(order.id)) return { kind: "begun" };
    if (machine === null) return { kind: "not_ready", reason: "containers are not enabled" };
    try {
      if (job !== undefined && machine.isRunning) await endJob(machine, job.id);
      const startedAt = Date.now();
      const hosts = readEgress(this.env.ERRAND_EGRESS).map(({ host }) => host);
      const gate = this.ctx.exports.Gate({ props: { hand: this.ctx.id.name ?? "" } });
      const toolchain = this.env.TOOLCHAIN.getByName("toolchain");
      const tools: Tools = machine.isRunning ? { kind: "none" } : await toolchain.current();
      if (tools.kind === "building") return BUILDING;
      const snapshot = tools.kind === "ready" ? tools.snapshot : null;
      const why = await machine.start({ hosts, gate, snapshot, hasInternet: false });
      if (why !== null && snapshot !== null) await toolchain.discard(snapshot);
      if (why !== null) return await this.beginNext(order, why);
      log("info", { stage: "hands", effect: "ready", latency_ms: Date.now() - startedAt });
      await this.ctx.storage.setAlarm(Date.now() + ALARM_MS);
      const before = await layOut(machine, order.files);
      const { id, wallMs } = order;
      this.use();
      this.ctx.storage.kv.put<Job>("job", { id, before, startedAt: Date.now(), wallMs, fetched: [] });
      await beginJob(machine, order, hosts);
      return { kind: "begun" };
    } catch (error) {
      return { kind: "not_ready", reason: describeError(error) };
    }
  }

  private async beginNext(order: JobOrder, why: string): Promise<Begun> {
    log("warn", { stage: "hands", effect: "not started", detail: why });
    const next = this.next();
    if (next === null) return { kind: "not_ready", reason: why };
    this.ctx.storage.kv.put("moved", true);
    await this.ctx.storage.setAlarm(Date.now() + IDLE_MS);
    const begun: Begun = await next.begin(order);
    if (begun.kind === "not_ready") this.ctx.storage.kv.delete("moved");
    return begun;
  }

  private async goesOn(id: string): Promise<boolean> {
    if (this.job()?.id !== id || this.isCancelled(id) || this.machine?.isRunning !== true) return false;
    return isRunning(this.machine, id).catch(() => false);
  }

  private use(): void {
    this.ctx.storage.kv.put("used_at", Date.now());
  }

  private async look(id: string, offset: number): Promise<JobState> {
    const job = this.job();
    const lose = (reason: string): JobState => {
      const known = this.job();
      const acted = known?.fetched.some(({ method, status }) => status !== null && !READING.has(method));
      // It may be begun again.
      if (known?.id === id) {
        this.ctx.storage.kv.put("lost", known);
        this.ctx.storage.kv.delete("job");
      }
      return { kind: "lost", reason, ...(acted === true && { acted }), ...NOTHING_PRINTED };
    };
    if (this.isCancelled(id)) return { kind: "cancelled", ...NOTHING_PRINTED };
    if (job?.id !== id) return { kind: "lost", reason: "nobody knows this job", ...NOTHING_PRINTED };
    if (this.machine?.isRunning !== true) return lose(CONTAINER_ENDED);
    this.use();
    const { machine } = this;
    try {
      const looked = await lookAtJob(machine, id, offset);
      if (looked.state === "running") return { kind: "running", output: looked.output, next: looked.next };
      return await this.mutex.run(async () => {
        await endJob(machine, id);
        const state = describeEnd(job, await lookAtJob(machine, id, offset));
        return state.kind === "lost" ? lose(state.reason) : state;
      });
    } catch (error) {
      return lose(describeError(error));
    }
  }
}

const BUILDING: Begun = {
  kind: "not_ready",
  reason: "the tools of the containers are being installed, which is done once and takes some minutes",
  retryAfterMs: 20_000,
};
const CONTAINER_ENDED = "its container has ended, with all that was in it";

function describeEnd({ startedAt, wallMs }: Job, { state, code, output, next }: Look): JobState {
  const said = { output, next };
  const ranMs = Date.now() - startedAt;
  if (state === "exited") return { kind: "exited", code, ...said };
  if (state === "timed_out" && ranMs >= wallMs - CLOCK_SLACK_MS) return { kind: "timed_out", ...said };
  return {
    kind: "lost",
    reason: state === "timed_out" ? "it was killed" : "it ended without a word",
    ...said,
  };
}
