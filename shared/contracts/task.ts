/** The states of a task. A final state never changes. */
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";

const ActiveState = z.enum(["queued", "running", "waiting"]);
export const FinalState = z.enum(["succeeded", "failed", "cancelled", "timed_out"]);
export type FinalState = z.infer<typeof FinalState>;

export const TaskState = z.enum([...ActiveState.options, ...FinalState.options]);
export type TaskState = z.infer<typeof TaskState>;

export const taskStateExample: TaskState = "running";

export function isFinal(state: TaskState): state is FinalState {
  return FinalState.safeParse(state).success;
}

/** A spending cap that had no room for the next call. */
export const ReachedCap = z.object({
  scope: z.enum(["task", "sender", "tenant"]),
  /** Unix milliseconds; null where it does not renew. */
  renews_at: z.nullable(z.int()),
});
export type ReachedCap = z.infer<typeof ReachedCap>;

/** Why a task failed: a name for programs, and words for people. */
export const TaskError = z.object({
  code: z.enum([
    /** A tool that was asked for by name failed. */
    "tool_failed",
    /** There is no model to ask. */
    "no_model",
    /** The model declined to answer. */
    "refused",
    /** The model, or its server, could not be asked, or gave no answer. */
    "model_failed",
    "too_many_turns",
    "timed_out",
    /** It came no further, and was put aside. */
    "stuck",
  ]),
  message: z.string().check(z.maxLength(LIMITS.error_chars_max)),
  /** It will fail so until somebody changes a setting, which the message names. */
  misconfigured: z.optional(z.literal(true)),
  /** It has spent what it may. */
  cap: z.optional(ReachedCap),
});
export type TaskError = z.infer<typeof TaskError>;

export const taskErrorExample: TaskError = { code: "tool_failed", message: "TypeError: x is not a function" };

/** What a program calls a conversation that it wants to go on with. */
export const ConversationName = z.optional(
  z.string().check(z.minLength(1), z.maxLength(LIMITS.conversation_name_chars_max)),
);
