/** One answer of a model (or of the rules protocol), and what the planner's `nextTurn` says of it. */
import * as z from "zod/mini";
import { ReachedCap, TaskError, TaskState } from "./task.ts";
import { ToolCall, toolCallExample } from "./tools/index.ts";

export const Usage = z.object({
  tokensIn: z.int().check(z.gte(0)),
  tokensOut: z.int().check(z.gte(0)),
  /** Null where nobody told the price. */
  costUsd: z.nullable(z.number()),
});
export type Usage = z.infer<typeof Usage>;

/** No calls means that `text` is the answer and the task is done. */
export const Turn = z.object({
  text: z.string(),
  calls: z.array(ToolCall),
  model: z.string(),
  usage: Usage,
  /** The task fails with this: its answer says so in words. */
  error: z.nullable(TaskError),
});
export type Turn = z.infer<typeof Turn>;

export const turnExample: Turn = {
  text: "",
  calls: [toolCallExample],
  model: "rules",
  usage: { tokensIn: 0, tokensOut: 0, costUsd: 0 },
  error: null,
};

/** One turn of one task, counted from 1. */
export interface TurnKey {
  readonly taskId: string;
  readonly turn: number;
}

/** One call of one turn, counted from 1. */
export interface CallKey extends TurnKey {
  readonly call: number;
}

const NamedCall = z.object({
  call: z.int(),
  tool: z.string(),
  title: z.string(),
  /** It is not made before a person has said something. */
  waits: z.optional(z.literal(true)),
  /** It uses the workspace: it is made after those before it that do. */
  inOrder: z.optional(z.literal(true)),
});

/** A call as the workflow knows it: enough to name a step, no content. Instances of a version before have kept its number as `k`. */
export const PlannedCall = z.union([
  NamedCall,
  z.pipe(
    z.object({ k: z.int(), tool: z.string(), title: z.string() }),
    z.transform(({ k, ...named }): z.infer<typeof NamedCall> => ({ call: k, ...named })),
  ),
]);
export type PlannedCall = z.infer<typeof PlannedCall>;

/** Failures are returned, not thrown: a thrown error loses its fields on the way through RPC. */
export const NextTurn = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("turn"), calls: z.array(PlannedCall) }),
  z.object({ kind: z.literal("inactive"), state: z.nullable(TaskState) }),
  z.object({ kind: z.literal("transient"), reason: z.string(), retryAfterMs: z.int() }),
  z.object({
    kind: z.literal("permanent"),
    reason: z.string(),
    misconfigured: z.optional(z.literal(true)),
    cap: z.optional(ReachedCap),
  }),
  /** A person was asked whether more may be spent on it. */
  z.object({ kind: z.literal("waits") }),
]);
export type NextTurn = z.infer<typeof NextTurn>;

export const nextTurnExample: NextTurn = {
  kind: "turn",
  calls: [{ call: 1, tool: "fly", title: "to the moon" }],
};
