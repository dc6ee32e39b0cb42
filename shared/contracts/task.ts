/** The states of a task. A final state never changes. */
import * as z from "zod/mini";

const ActiveState = z.enum(["queued", "running", "waiting"]);
export const FinalState = z.enum(["succeeded", "failed", "cancelled", "timed_out"]);
export type FinalState = z.infer<typeof FinalState>;

export const TaskState = z.enum([...ActiveState.options, ...FinalState.options]);
export type TaskState = z.infer<typeof TaskState>;

export const taskStateExample: TaskState = "running";

export function isFinal(state: TaskState): state is FinalState {
  return FinalState.safeParse(state).success;
}
