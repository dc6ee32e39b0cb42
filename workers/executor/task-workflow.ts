/**
 * One task as a durable Workflow: plan → act (the calls of a turn in parallel) → plan … → end.
 * The only file with `step.do`. Step names are a public contract: an instance may wait for days across deploys.
 */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { readTimings } from "../../shared/config.ts";
import { type CallKey, NextTurn, type PlannedCall, type TurnKey } from "../../shared/contracts/turn.ts";
import { permanent, type Permanent } from "../../shared/errors.ts";
import { nameApproval } from "../../shared/ids.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { TaskEnd } from "../../shared/store/statements/end-task.ts";
import { truncate } from "../../shared/text.ts";
import { act, giveUp } from "./act.ts";
import { end } from "./end.ts";
import type { Env } from "./env.ts";
import { hear, hearOfTurn, request } from "./request.ts";

/** Waits between two askings grow by this much each time. */
const WAIT_GROWTH = 1.5;
const WAIT_MS_MAX = 30_000;
/** Longer than anything waits: it is D1 that knows when a request expires. */
const WAIT_FOR_EVER = "365 days";

export class TaskWorkflow extends WorkflowEntrypoint<Env> {
  override async run(
    { instanceId: taskId }: Readonly<WorkflowEvent<unknown>>,
    step: WorkflowStep,
  ): Promise<void> {
    for (let turn = 1; turn <= LIMITS.turns_max; turn++) {
      const planned = await this.plan(step, { taskId, turn });
      // It has ended, and is answered: by the planner, whose turn was the last, or by somebody else.
      if (planned.kind === "inactive") return;
      if (planned.kind !== "turn") {
        const text = `⚠️ I could not go on: ${planned.reason}.`;
        const error = {
          code: "model_failed" as const,
          message: truncate(planned.reason, LIMITS.error_chars_max),
          ...("misconfigured" in planned && { misconfigured: planned.misconfigured }),
          ...("cap" in planned && { cap: planned.cap }),
        };
        return this.end(step, { taskId, state: "failed", error, answer: { text } });
      }
      // Of a version before, whose last turn did not end its task.
      if (planned.calls.length === 0)
        return this.end(step, { taskId, state: "succeeded", error: null, answer: { turn } });
      await this.actAll(step, { taskId, turn }, planned.calls);
    }
    const message = `I gave up after ${LIMITS.turns_max} turns without coming to an end.`;
    const error = { code: "too_many_turns" as const, message };
    await this.end(step, { taskId, state: "failed", error, answer: { text: `⚠️ ${message}` } });
  }

  /** Where a person is asked whether it may cost more, it is planned again when they have decided. */
  private async plan(step: WorkflowStep, key: TurnKey): Promise<Exclude<NextTurn, { kind: "waits" }>> {
    const planned = await this.askForTurn(step, key, `plan ${key.turn}`);
    if (planned.kind !== "waits") return planned;
    await this.waitForPerson(step, { ...key, call: 0 }, hearOfTurn);
    const again = await this.askForTurn(step, key, `plan ${key.turn}, decided`);
    return again.kind === "waits" ? permanent("nobody has decided whether it may cost more") : again;
  }

  private async askForTurn(step: WorkflowStep, { taskId, turn }: TurnKey, name: string): Promise<NextTurn> {
    const planned = await this.ask(step, name, (asked) =>
      step.do(asked, this.planOptions, async () =>
        NextTurn.parse(await this.env.PLANNER.nextTurn(taskId, turn)),
      ),
    );
    // Steps of a version before have answered in its shape.
    return NextTurn.parse(planned);
  }

  /** At the same time, but for those that use the workspace: each of them finds what the one before has left. */
  private async actAll(step: WorkflowStep, key: TurnKey, calls: readonly PlannedCall[]): Promise<void> {
    const isBesideWaiting = calls.some(({ waits }) => waits === true);
    let before: Promise<void> = Promise.resolve();
    await Promise.all(
      calls.map((named) => {
        const make = () => this.act(step, { ...key, call: named.call }, { ...named, isBesideWaiting });
        if (named.inOrder !== true) return make();
        before = before.then(make);
        return before;
      }),
    );
  }

  private async act(
    step: WorkflowStep,
    key: CallKey,
    { tool, title, waits, isBesideWaiting }: PlannedCall & { isBesideWaiting: boolean },
  ): Promise<void> {
    if (waits === true && !(await this.isApproved(step, key))) return;
    const name = `act ${key.turn}.${key.call} ${tool}: ${title}`;
    const giveUpOn = (reason: string) =>
      step.do(`${name}, given up`, this.options, () => giveUp(this.env, key, { reason, isBesideWaiting }));
    // What takes longer than a step may goes on elsewhere, and is looked after by one step after the other.
    for (let look = 1; look <= LIMITS.looks_max; look++) {
      const acted = await this.ask(step, look === 1 ? name : `${name}, look ${look}`, (asked, attempt) =>
        step.do(asked, this.options, () => act(this.env, key, { attempt, isBesideWaiting })),
      );
      if (acted.kind === "goes_on") continue;
      if (acted.kind === "permanent") await giveUpOn(acted.reason);
      return;
    }
    await giveUpOn(`it was not over after ${LIMITS.looks_max} looks`);
  }

  private async isApproved(step: WorkflowStep, key: CallKey): Promise<boolean> {
    await step.do(`ask ${key.turn}.${key.call}`, this.options, () => request(this.env, key));
    return this.waitForPerson(step, key, hear);
  }

  /**
   * Waits until somebody, or the time, has decided; true when it was approved. An event only wakes: what was decided is read. A wait that
   * is rejected, as by a revival, is no denial, and begins again under a new name.
   */
  private async waitForPerson(step: WorkflowStep, key: CallKey, listen: typeof hear): Promise<boolean> {
    const at = `${key.turn}.${key.call}`;
    const type = await nameApproval(key);
    for (let look = 1; look <= LIMITS.looks_max; look++) {
      const nth = look === 1 ? "" : `, look ${look}`;
      const heard = await step.do(`hear ${at}${nth}`, this.options, () => listen(this.env, key));
      if (heard.kind !== "open") return heard.kind === "approved";
      await step.waitForEvent(`wait ${at}${nth}`, { type, timeout: WAIT_FOR_EVER }).catch(() => undefined);
    }
    return false;
  }

  private async end(step: WorkflowStep, ending: Omit<TaskEnd, "endedBy">): Promise<void> {
    await step.do("end", this.options, () => end(this.env, { ...ending, endedBy: "workflow" }));
  }

  /** Asks until the answer is not Transient: each time under a new name, after the wait that the answer names. */
  private async ask<Answer extends Asked>(
    step: WorkflowStep,
    name: string,
    question: (asked: string, attempt: number) => Promise<Answer>,
  ): Promise<Settled<Answer> | Permanent> {
    let reason = "";
    for (let attempt = 1; attempt <= LIMITS.transient_retries_max; attempt++) {
      const asked = attempt === 1 ? name : `${name}, attempt ${attempt}`;
      const answer = await question(asked, attempt);
      if (isSettled(answer)) return answer;
      reason = answer.reason ?? "";
      if (attempt < LIMITS.transient_retries_max)
        await step.sleep(`wait after ${asked}`, waitMs(answer, attempt));
    }
    return permanent(`${reason} (tried ${LIMITS.transient_retries_max} times)`);
  }

  private get options() {
    const { step_ms, step_retry_ms } = readTimings(this.env);
    return { retries: { limit: 5, delay: step_retry_ms, backoff: "exponential" as const }, timeout: step_ms };
  }

  private get planOptions() {
    return { ...this.options, timeout: readTimings(this.env).plan_ms };
  }
}

/** As long as the answer says, and longer each time, up to a bound that lies within the claims. */
function waitMs({ retryAfterMs = 1_000 }: Asked, attempt: number): number {
  return Math.round(
    Math.max(retryAfterMs, Math.min(retryAfterMs * WAIT_GROWTH ** (attempt - 1), WAIT_MS_MAX)),
  );
}

/** What a step may answer: anything of a kind, or Transient with its facts. */
type Asked = { kind: string; reason?: string; retryAfterMs?: number };
type Settled<Answer extends Asked> = Exclude<Answer, { kind: "transient" }>;

function isSettled<Answer extends Asked>(answer: Answer): answer is Settled<Answer> {
  return answer.kind !== "transient";
}
