/** The control server: it hears of every effect before and after it happens, and says what becomes of it. */
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import {
  type Delivery,
  type Effect,
  keyOf,
  type Moment,
  type Question,
  type Verdict,
} from "./proxy/protocol.ts";

/** An effect that has happened or was kept from it. */
export interface Recorded extends Effect {
  key: string;
  /** The how-manieth of its key. */
  occurrence: number;
  rowsWritten: number;
  /** It came to its end, well or badly: what is stopped half-way has no "after". */
  done: boolean;
}

/** What befalls one effect, once. */
export interface EffectFault {
  key: string;
  occurrence: number;
  moment: Moment;
  /**
   * `crash`: the invocation ends there. `throw`: the effect fails with these words (before it is done: refused; after: its
   * answer is lost). `stall`: no answer comes until the end. `kill`: called, and the invocation ends there with whatever else it kills.
   * `meanwhile`: no fault, but what else happens before the effect goes on.
   */
  what: "crash" | { throw: string } | "stall" | { kill: () => void } | { meanwhile: () => Promise<void> };
}

export class Control {
  readonly effects: Recorded[] = [];
  /** The faults that have come to pass. */
  readonly met: EffectFault[] = [];
  delivery: Delivery = "once";
  /** When the last question came. */
  heardAt = 0;
  private pending: EffectFault[] = [];
  private firstId = 0;
  private stalled: (() => void)[] = [];
  private readonly occurrences = new Map<string, number>();
  private readonly server = createServer((request, response) => {
    void text(request).then(async (body) => {
      this.heardAt = Date.now();
      const answer = request.method === "GET" ? this.delivery : await this.answer(JSON.parse(body));
      response.end(JSON.stringify(answer));
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.release();
    this.server.close();
    this.server.closeAllConnections();
  }

  /** Forgets what was, and has these faults befall what comes. */
  begin(faults: readonly EffectFault[] = []): void {
    this.release();
    // Answers to the questions of before find nothing then.
    this.firstId += this.effects.length;
    this.effects.length = 0;
    this.met.length = 0;
    this.occurrences.clear();
    this.pending = [...faults];
  }

  /** Lets go of what was stalled. */
  release(): void {
    for (const go of this.stalled.splice(0)) go();
  }

  private async answer(question: Question): Promise<Verdict> {
    const id = question.moment === "before" ? this.record(question) : question.id;
    const effect = this.effects[id - this.firstId];
    if (effect === undefined) return { do: "go", id };
    if (question.moment === "after") {
      effect.rowsWritten = question.rowsWritten;
      effect.done = true;
    }
    const now = this.pending.filter(
      ({ key, occurrence, moment }) =>
        key === effect.key && occurrence === effect.occurrence && moment === question.moment,
    );
    this.pending = this.pending.filter((fault) => !now.includes(fault));
    for (const fault of now) {
      const { what } = fault;
      if (typeof what === "object" && "meanwhile" in what) {
        await what.meanwhile();
        continue;
      }
      this.met.push(fault);
      if (what === "stall") await new Promise<void>((resolve) => this.stalled.push(resolve));
      else if (what !== "crash") {
        if ("throw" in what) return { do: "throw", message: what.throw };
        what.kill();
      }
      return { do: "crash" };
    }
    return { do: "go", id };
  }

  private record({ invocation, stage, entry, kind, name, statements }: Effect): number {
    const effect = { invocation, stage, entry, kind, name, statements };
    const key = keyOf(effect);
    const occurrence = (this.occurrences.get(key) ?? 0) + 1;
    this.occurrences.set(key, occurrence);
    return this.firstId + this.effects.push({ ...effect, key, occurrence, rowsWritten: 0, done: false }) - 1;
  }

  /** What was spent since `begin`, by stage and in all. */
  spent() {
    const of = (kind: Effect["kind"]) => this.effects.filter((effect) => effect.kind === kind);
    const d1 = of("d1");
    const sum = (effects: readonly Recorded[], field: "statements" | "rowsWritten") =>
      effects.reduce((n, effect) => n + effect[field], 0);
    const roundTripsOf = (stage: string) => d1.filter((effect) => effect.stage === stage).length;
    return {
      roundTrips: d1.length,
      byStage: Object.fromEntries(
        ["ingress", "planner", "executor", "notifier"].map((stage) => [stage, roundTripsOf(stage)]),
      ),
      statements: sum(d1, "statements"),
      rowsWritten: sum(d1, "rowsWritten"),
      doorbells: sum(of("queue"), "statements"),
      instances: of("workflow").filter(({ name }) => name === "create").length,
      steps: of("step").length,
      outboundCalls: of("fetch").length,
    };
  }
}
