/** The receipt: what has happened to a task, in its order. */
import * as z from "zod/mini";
import { ApprovalKind, ApprovalState } from "./approval.ts";
import { ChannelName } from "./channel.ts";
import { FinalState } from "./task.ts";

const AT_TURN = { turn: z.int() };
const AT_CALL = { ...AT_TURN, call: z.int() };
const NOWHERE = { turn: z.null(), call: z.null(), attempt: z.null() };
const ON_TURN = { ...AT_TURN, call: z.null(), attempt: z.null() };
const ON_CALL = { ...AT_CALL, attempt: z.null() };

/** One request that went through the gate of a container. */
export const Fetched = z.object({
  host: z.string(),
  method: z.string(),
  /** Its beginning. */
  path: z.string(),
  /** 0: nobody knows yet, or ever. */
  status: z.nullable(z.int()),
  bytes: z.int(),
});
export type Fetched = z.infer<typeof Fetched>;

/** What a task's event is, by its type: where it belongs, and what it says. */
const CONTENT = [
  z.object({
    type: z.literal("accepted"),
    ...NOWHERE,
    data: z.object({ message: z.string(), channel: ChannelName }),
  }),
  z.object({ type: z.literal("queued"), ...NOWHERE, data: z.object({}) }),
  /** Nobody had heard of it, so its Workflow was made to run again: the how-manieth time without a step forward, and what had become of it. */
  z.object({
    type: z.literal("revived"),
    ...NOWHERE,
    data: z.object({ status: z.string(), nth: z.int() }),
  }),
  /** What a model says, piece by piece. Another attempt at the turn says it anew. */
  z.object({
    type: z.literal("text"),
    ...AT_TURN,
    call: z.null(),
    attempt: z.string(),
    data: z.object({ text: z.string() }),
  }),
  z.object({
    type: z.literal("planned"),
    ...ON_TURN,
    /** `read`: the messages that were new to the turn. */
    data: z.object({ model: z.string(), calls: z.int(), read: z.array(z.string()) }),
  }),
  z.object({
    type: z.literal("delayed"),
    ...ON_TURN,
    data: z.object({ reason: z.string(), retry_after_ms: z.int() }),
  }),
  /** A person was asked: whether it may be made, or a question. */
  z.object({
    type: z.literal("requested"),
    ...ON_CALL,
    data: z.object({ approval: z.string(), kind: ApprovalKind, expires_at: z.int() }),
  }),
  z.object({
    type: z.literal("decided"),
    ...ON_CALL,
    data: z.object({
      approval: z.string(),
      state: ApprovalState,
      by: z.nullable(z.string()),
      reason: z.nullable(z.string()),
    }),
  }),
  z.object({ type: z.literal("started"), ...ON_CALL, data: z.object({ tool: z.string() }) }),
  /** A container has asked for something through its gate; no status: it was refused there. */
  z.object({
    type: z.literal("fetched"),
    ...AT_CALL,
    attempt: z.string(),
    data: Fetched,
  }),
  z.object({
    type: z.literal("observed"),
    ...ON_CALL,
    data: z.object({ ok: z.boolean(), latency_ms: z.int(), files: z.array(z.string()) }),
  }),
  z.object({
    type: z.literal("ended"),
    ...NOWHERE,
    /** `reason`: the answer's words, where no turn has given them. */
    data: z.object({ state: FinalState, by: z.nullable(z.string()), reason: z.nullable(z.string()) }),
  }),
  z.object({
    type: z.enum(["delivered", "undeliverable"]),
    ...NOWHERE,
    data: z.object({ messages: z.array(z.string()), reason: z.nullable(z.string()) }),
  }),
] as const;

const EventContent = z.discriminatedUnion("type", CONTENT);
export type EventContent = z.infer<typeof EventContent>;

/** `seq` counts a task's events; `at` is Unix milliseconds. */
export const TaskEvent = z.intersection(EventContent, z.object({ seq: z.int(), at: z.int() }));
export type TaskEvent = z.infer<typeof TaskEvent>;

export const taskEventExample: TaskEvent = {
  seq: 5,
  at: 1_790_000_000_000,
  type: "started",
  turn: 1,
  call: 1,
  attempt: null,
  data: { tool: "fly" },
};
