/** What holds that nothing is done before whoever may has allowed it, once. */
import type { Mutation } from "./mutation.ts";

const APPROVALS = "test/pipeline/approvals.test.ts";
const QUESTIONS = "test/pipeline/questions.test.ts";

export const CONTROL: readonly Mutation[] = [
  {
    name: "a gated call is not made by whoever comes",
    file: "shared/store/start-call.ts",
    find: "(gate IS NULL OR EXISTS (SELECT 1 FROM approvals a",
    replace: "(1 OR EXISTS (SELECT 1 FROM approvals a",
    test: "test/unit/executor/act.test.ts",
  },
  {
    name: "what was decided is not decided again",
    file: "shared/store/statements/approvals.ts",
    find: "WHERE id = (${id}) AND state = 'open' AND ${only}",
    replace: "WHERE id = (${id}) AND ${only}",
    test: APPROVALS,
  },
  {
    name: "who may not decide does not",
    file: "shared/store/decisions/approvals.ts",
    find: "AND ${isAnswerable} AND ${mayDecide(decision)} AND",
    replace: "AND ${isAnswerable} AND",
    test: APPROVALS,
  },
  {
    name: "a request of another chat is nobody's here",
    file: "shared/store/decisions/approvals.ts",
    find: "AND c.address = ${address} LIMIT 1`",
    replace: "AND ${address} <> '' LIMIT 1`",
    test: APPROVALS,
  },
  {
    name: "what has expired is not decided by a person",
    file: "shared/store/decisions/approvals.ts",
    find: "only: sql`expires_at > ${now} AND",
    replace: "only: sql`${now} > 0 AND",
    test: APPROVALS,
  },
  {
    name: "a task that waits has all the time",
    file: "workers/executor/reconcile.ts",
    find: 'if (state === "waiting") return wait(env, task, timings);',
    replace: "",
    test: APPROVALS,
  },
  {
    name: "the deadline stands still while it waits",
    file: "shared/store/statements/approvals.ts",
    find: "deadline_at = deadline_at + ${now} - waiting_since",
    replace: "deadline_at = deadline_at + ${0 * now}",
    test: APPROVALS,
  },
  {
    name: "a message that has decided is read by nothing else",
    file: "shared/store/decisions/messages.ts",
    find: "WHERE decision_key = value->>'inbound'))",
    replace: "WHERE decision_key = value->>'nothing'))",
    test: QUESTIONS,
  },
  {
    name: "a task waits again when what is left of it waits",
    file: "shared/store/observe-call.ts",
    find: "if (isBesideWaiting) addWaiting(batch, taskId, now);",
    replace: "",
    test: QUESTIONS,
  },
  {
    name: "a key that submits does not approve",
    file: "shared/store/decide-approval.ts",
    find: 'isAnswer ? caller.scopes : (["approvals"] as const)',
    replace: "caller.scopes",
    test: APPROVALS,
  },
  {
    name: "addresses inside are refused before any rule",
    file: "shared/policy/decide.ts",
    find: 'if (place.kind === "refused")',
    replace: 'if (place.kind === "refused" && place.host === "")',
    test: "test/unit/shared/addresses.test.ts",
  },
  {
    name: "what a script does not tell is not allowed",
    file: "shared/policy/decide.ts",
    find: 'if (rule.decision === "allow" && doubtful !== null) return doubtful;',
    replace: "",
    test: "test/unit/shared/policy.test.ts",
  },
];
