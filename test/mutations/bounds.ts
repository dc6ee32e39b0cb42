/** What bounds that which people, programs and models may send. */
import type { Mutation } from "./mutation.ts";

export const BOUNDS: readonly Mutation[] = [
  {
    name: "a task is not revived for ever",
    file: "shared/store/revive-task.ts",
    find: "OR revivals < ${LIMITS.revivals_max})",
    replace: "OR revivals < ${100 * LIMITS.revivals_max})",
    test: "test/unit/executor",
  },
  {
    name: "a step forward counts revivals anew",
    file: "shared/store/statements/heartbeat.ts",
    find: "WHEN ${isStep ? 1 : 0} THEN 0",
    replace: "WHEN ${isStep ? 0 : 0} THEN 0",
    test: "test/unit/executor",
  },
  {
    name: "the end of the process is no fault of its tasks",
    file: "shared/store/outbox.ts",
    find: "ELSE revivals - 1 END",
    replace: "ELSE revivals END",
    test: "test/unit/executor",
  },
  {
    name: "a turn claims what fits",
    file: "shared/store/claim-turn.ts",
    find: "AND chars <= ${LIMITS.turn_unread_chars_max}",
    replace: "AND chars <= ${LIMITS.turn_unread_chars_max * 100}",
    test: "test/pipeline/bounds.test.ts",
  },
  {
    name: "what a task has just done is told first",
    file: "workers/planner/turn/budget.ts",
    find: "    lastCalls?.results ?? [],\n",
    replace: "",
    test: "test/unit/planner",
  },
  {
    name: "files get the room that is left",
    file: "workers/planner/turn/budget.ts",
    find: "for (const group of listByPrecedence(measured)) budget.share(group);",
    replace: "for (const group of listByPrecedence(measured).toReversed()) budget.share(group);",
    test: "test/unit/planner",
  },
  {
    name: "the unread of a conversation is bounded, over the API",
    file: "shared/store/steer-task.ts",
    find: "<= ${LIMITS.unread_chars_max}",
    replace: "<= ${LIMITS.unread_chars_max * 100}",
    test: "test/pipeline/bounds.test.ts",
  },
  {
    name: "the unread of a conversation is bounded, in a chat",
    file: "workers/planner/triage/excess.ts",
    find: "if (waiting.unread >= LIMITS.unread_messages_max ||",
    replace: "if (waiting.unread > 100 * LIMITS.unread_messages_max ||",
    test: "test/pipeline/bounds.test.ts",
  },
  {
    name: "the tasks of a person are bounded",
    file: "workers/planner/triage/excess.ts",
    find: "if (active >= LIMITS.active_tasks_per_person_max) return TOO_MANY;",
    replace: "if (active < 0) return TOO_MANY;",
    test: "test/pipeline/bounds.test.ts",
  },
  {
    name: "the tasks of a key are bounded",
    file: "shared/store/submit-task.ts",
    find: "< ${LIMITS.active_tasks_per_key_max}",
    replace: "< ${LIMITS.active_tasks_per_key_max * 100}",
    test: "test/pipeline/bounds.test.ts",
  },
  {
    name: "the streams of a key are bounded",
    file: "shared/store/streams.ts",
    find: "< ${LIMITS.streams_per_key_max}",
    replace: "< ${LIMITS.streams_per_key_max * 100}",
    test: "test/pipeline/bounds.test.ts",
  },
  {
    name: "Markdown is read in pieces",
    file: "workers/notifier/channels/telegram/chunks.ts",
    find: "if (isFull) flush();",
    replace: "",
    test: "test/unit/notifier",
  },
];
