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

/** What a program calls a conversation that it wants to go on with. */
export const ConversationName = z.optional(
  z.string().check(z.minLength(1), z.maxLength(LIMITS.conversation_name_chars_max)),
);
