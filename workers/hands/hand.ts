/**
 * One conversation's hand: a container with the conversation's files in it, and one job at a time. It may vanish with all that is in it;
 * what is known of the job here says then what became of it.
 */
import { DurableObject } from "cloudflare:workers";
import type { Begun, JobOrder, JobState, Taken } from "../../shared/contracts/job.ts";
import type { Fetched } from "../../shared/contracts/event.ts";
import { describeError } from "../../shared/errors.ts";
import { TIMINGS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { readEgress } from "../../shared/policy/egress.ts";
import type { OwnVariable, SettingsOf } from "../../shared/variables.ts";
import { Mutex } from "../../shared/mutex.ts";
import { beginJob, endJob, isRunning, type Look, lookAtJob } from "./job.ts";
import { isOf, type Job, Ledger, type Noted } from "./ledger.ts";
import { Machine } from "./machine.ts";
import type { Toolchain, Tools } from "./toolchain.ts";
import { layOut, takeOut } from "./workspace.ts";

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
const LOOK_MS_MIN = 50;
const LOOK_MS_MAX = 2_000;
const LOOK_GROWTH = 1.5;
/** A job that ended before its time was not ended for the time's sake. */
const CLOCK_SLACK_MS = 500;

const NOTHING_PRINTED = { output: "", next: 0 };

export class Hand extends DurableObject<Env> {
  private readonly mutex = new Mutex();
  private readonly ledger: Ledger;
  private readonly machine: Machine | null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.ledger = new Ledger(ctx.storage.kv);
    const { container } = ctx;
    this.machine = container === undefined ? null : new Machine(container);
    void ctx.blockConcurrencyWhile(async () => this.machine?.stayAlive().catch(() => undefined));
  }

  /** Begins a job, unless it was begun before; whatever job was there before it is over. */
  begin(order: JobOrder): Promise<Begun> {
    return this.mutex.run(async () => {
      const elsewhere = this.elsewhere();
      if (elsewhere === null) return this.beginHere(order);
      this.move(order.wallMs);
      return elsewhere.begin(order);
    });
  }

  /** How the job is, as soon as it has ended, or after that time. @param offset in bytes of what it has printed. */
  async poll(id: string, offset: number, withinMs: number): Promise<JobState> {
    const elsewhere = this.elsewhere();
    if (elsewhere !== null) return elsewhere.poll(id, offset, withinMs);
    const until = Date.now() + withinMs;
    for (let waitMs = LOOK_MS_MIN; ; waitMs = Math.min(waitMs * LOOK_GROWTH, LOOK_MS_MAX)) {
      const leftMs = until - Date.now();
      if (!(await this.goesOn(id))) return this.conclude(id, offset);
      if (leftMs <= 0) return this.look(id, offset);
      await scheduler.wait(Math.min(waitMs, leftMs));
    }
  }

  /** Ends the job, or that of a task, with all that it has begun; one that was not begun yet never will be. */
  async cancel(id: string): Promise<void> {
    const elsewhere = this.elsewhere();
    if (elsewhere !== null) return elsewhere.cancel(id);
    await this.mutex.run(async () => {
      this.ledger.cancel(id);
      const { job } = this.ledger;
      if (job === undefined || !isOf(job.id, id)) return;
      this.ledger.end(job.id);
      if (this.machine?.isRunning === true) await endJob(this.machine, job.id);
    });
  }

  /** What the job has left that is other than it was. */
  take(id: string): Promise<Taken> {
    const elsewhere = this.elsewhere();
    if (elsewhere !== null) return elsewhere.take(id);
    return this.mutex.run(async () => {
      const { job } = this.ledger;
      if (job?.id !== id || this.machine?.isRunning !== true)
        return { kind: "lost", reason: CONTAINER_ENDED };
      try {
        return await takeOut(this.machine, job.before);
      } catch (error) {
        return { kind: "lost", reason: describeError(error) };
      }
    });
  }

  /** The gate's: a request of the job that runs. Null: it makes too many. */
  note(asked: Omit<Fetched, "bytes">): Noted | null {
    return this.ledger.note(asked);
  }

  /** The gate's: what came of it. */
  settle(noted: Noted, came: Pick<Fetched, "status" | "bytes">): void {
    this.ledger.settle(noted, came);
  }

  listFetched(id: string): Promise<Fetched[]> {
    const elsewhere = this.elsewhere();
    if (elsewhere !== null) return elsewhere.listFetched(id);
    return Promise.resolve([...this.ledger.listFetched(id)]);
  }

  /** Ends what nobody uses any more, and a job that has overslept. */
  override async alarm(): Promise<void> {
    if (this.machine?.isRunning !== true) return;
    const { job } = this.ledger;
    if (job !== undefined && job.isOver !== true && Date.now() > job.startedAt + job.wallMs + GRACE_MS) {
      this.ledger.end(job.id);
      await endJob(this.machine, job.id).catch(() => undefined);
    }
    if (Date.now() > (this.ctx.storage.kv.get<number>("used_at") ?? 0) + IDLE_MS) {
      log("info", { stage: "hands", effect: "ended", detail: "idle" });
      await this.machine.stop("idle");
      return;
    }
    await this.machine.stayAlive();
    await this.ctx.storage.setAlarm(Date.now() + ALARM_MS);
  }

  /** Where the work went when no container started here. */
  private elsewhere(): DurableObjectStub<Hand> | null {
    const isThere = (this.ctx.storage.kv.get<number>("moved_until") ?? 0) > Date.now();
    return isThere ? this.next() : null;
  }

  /** Until whatever runs there has ended, and nobody has asked for it any more. */
  private move(wallMs: number): void {
    this.ctx.storage.kv.put("moved_until", Date.now() + wallMs + 2 * IDLE_MS);
  }

  private next(): DurableObjectStub<Hand> | null {
    const name = this.ctx.id.name ?? "";
    const nth = name.split(NEXT).length;
    return name === "" || nth >= OBJECTS_MAX ? null : this.env.HAND.getByName(`${name}${NEXT}`);
  }

  private async beginHere(order: JobOrder): Promise<Begun> {
    const { machine } = this;
    const { job } = this.ledger;
    if (job?.id === order.id) return { kind: "begun", startedAt: job.startedAt };
    if (this.ledger.isCancelled(order.id)) return { kind: "begun", startedAt: Date.now() };
    if (this.ledger.hasActed(order.id)) return { kind: "begun", startedAt: Date.now() };
    if (machine === null) return { kind: "not_ready", reason: "containers are not enabled" };
    try {
      // Also of a job that was lost there.
      if (machine.isRunning) await endJob(machine, job?.id ?? order.id);
      const askedAt = Date.now();
      const hosts = readEgress(this.env.ERRAND_EGRESS).map(({ host }) => host);
      const gate = this.ctx.exports.Gate({ props: { hand: this.ctx.id.name ?? "" } });
      const toolchain = this.env.TOOLCHAIN.getByName("toolchain");
      const tools: Tools = machine.isRunning ? { kind: "none" } : await toolchain.current();
      if (tools.kind === "building") return BUILDING;
      const snapshot = tools.kind === "ready" ? tools.snapshot : null;
      const why = await machine.start({ hosts, gate, snapshot, hasInternet: false });
      // Some objects do not start for minutes, whatever they begin from: where none of them does, it may be that.
      if (why !== null && snapshot !== null && this.next() === null) await toolchain.discard(snapshot);
      if (why !== null) return await this.beginNext(order, why);
      log("info", { stage: "hands", effect: "ready", latency_ms: Date.now() - askedAt });
      await this.ctx.storage.setAlarm(Date.now() + ALARM_MS);
      const before = await layOut(machine, order.files);
      const { id, wallMs } = order;
      const startedAt = Date.now();
      this.use();
      this.ledger.begin({ id, before, startedAt, wallMs });
      await beginJob(machine, order, hosts);
      return { kind: "begun", startedAt };
    } catch (error) {
      // What does not take the files would not take them the next time either.
      await machine.stop(describeError(error)).catch(() => undefined);
      return { kind: "not_ready", reason: describeError(error) };
    }
  }

  private async beginNext(order: JobOrder, why: string): Promise<Begun> {
    log("warn", { stage: "hands", effect: "not started", detail: why });
    const next = this.next();
    if (next === null) return { kind: "not_ready", reason: why };
    const begun: Begun = await next.begin(order);
    if (begun.kind === "begun") this.move(order.wallMs);
    return begun;
  }

  private async goesOn(id: string): Promise<boolean> {
    const { ledger } = this;
    if (ledger.job?.id !== id || ledger.isCancelled(id) || this.machine?.isRunning !== true) return false;
    // Something keeps it from ending by its own clock, or from saying that it has.
    if (Date.now() > ledger.job.startedAt + ledger.job.wallMs + GRACE_MS) return false;
    // Whoever does not answer now may answer the next time.
    return isRunning(this.machine, id).catch(() => true);
  }

  private use(): void {
    this.ctx.storage.kv.put("used_at", Date.now());
  }

  /** What it has printed, while it goes on. */
  private async look(id: string, offset: number): Promise<JobState> {
    const { machine } = this;
    if (machine?.isRunning !== true) return this.conclude(id, offset);
    this.use();
    try {
      const { state, output, next } = await lookAtJob(machine, id, offset);
      return state === "running" ? { kind: "running", output, next } : await this.conclude(id, offset);
    } catch (error) {
      return this.lose(id, describeError(error));
    }
  }

  /** It does not go on: how it has ended. */
  private async conclude(id: string, offset: number): Promise<JobState> {
    const { ledger, machine } = this;
    const { job } = ledger;
    if (ledger.isCancelled(id)) return { kind: "cancelled", ...NOTHING_PRINTED };
    if (job?.id !== id) return this.lose(id, "nobody knows this job");
    if (machine?.isRunning !== true) return this.lose(id, CONTAINER_ENDED);
    this.use();
    try {
      return await this.mutex.run(async () => {
        ledger.end(id);
        await endJob(machine, id);
        const state = describeEnd(job, await lookAtJob(machine, id, offset));
        return state.kind === "lost" ? this.lose(id, state.reason) : state;
      });
    } catch (error) {
      return this.lose(id, describeError(error));
    }
  }

  private lose(id: string, reason: string): JobState {
    const acted = this.ledger.lose(id) || this.ledger.hasActed(id);
    return { kind: "lost", reason, ...(acted && { acted }), ...NOTHING_PRINTED };
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
  if (ranMs > wallMs + GRACE_MS) return { kind: "timed_out", ...said };
  if (state === "timed_out" && ranMs >= wallMs - CLOCK_SLACK_MS) return { kind: "timed_out", ...said };
  return {
    kind: "lost",
    reason: state === "timed_out" ? "it was killed" : "it ended without a word",
    ...said,
  };
}
