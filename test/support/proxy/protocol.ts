/** What the Workers of a test ask the control server about every effect, and what it answers. */

/** Something that is seen outside the invocation that does it. */
export interface Effect {
  stage: Stage;
  /** Which run of a handler. */
  invocation: string;
  /** Which of the Worker's handlers: a route, a queue, an RPC method, a Workflow step. */
  entry: string;
  kind: "d1" | "queue" | "workflow" | "rpc" | "r2" | "fetch" | "step" | "ack";
  name: string;
  /** Statements of a D1 round trip, messages of a queue operation; else 1. */
  statements: number;
}

export type Stage = "ingress" | "planner" | "executor" | "notifier";

export type Moment = "before" | "after";

export type Question =
  | ({ moment: "before" } & Effect)
  | { moment: "after"; id: number; rowsWritten: number; failed: boolean };

/** `crash`: this invocation does nothing more. `throw`: the effect fails with these words, and the invocation goes on. */
export type Verdict = { do: "go"; id: number } | { do: "crash" } | { do: "throw"; message: string };

/** How a queue brings a batch. */
export type Delivery = "once" | "twice" | "reversed" | "split" | "stale" | "interleaved";

/** An effect's name: the same in every run of the same story. */
export function keyOf({ stage, entry, kind, name }: Effect): string {
  return `${stage} ${entry}: ${kind} ${name}`;
}
