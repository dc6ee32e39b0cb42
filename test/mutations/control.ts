/** What holds that nothing is done before whoever may has allowed it, once. */
import type { Mutation } from "./mutation.ts";

const APPROVALS = "test/pipeline/approvals.test.ts";
const CAPS = "test/pipeline/caps.test.ts";
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
  {
    name: "no call is made that has no room",
    file: "shared/store/reserve.ts",
    find: "AND room.out >= ${tokensOutMin} AND",
    replace: "AND",
    test: CAPS,
  },
  {
    name: "what is under way is counted",
    file: "shared/store/reserve.ts",
    find: "{ tokens: sql`r.tokens`, microUsd: sql`r.micro_usd` },",
    replace: "{ tokens: sql`0`, microUsd: sql`0` },",
    test: CAPS,
  },
  {
    name: "what is held only is waited for",
    file: "workers/planner/turn/reached.ts",
    find: "room.tokens - room.tokens_held + tokensIn",
    replace: "room.tokens + tokensIn",
    test: CAPS,
  },
  {
    name: "what broke off is paid for",
    file: "workers/planner/turn/meter.ts",
    find: "const written = Math.max(this.usage?.tokensOut ?? 0, this.said);",
    replace: "const written = 0;",
    test: "test/unit/planner/meter.test.ts",
  },
  {
    name: "a call that was hung up on is counted by what it read",
    file: "workers/executor/reconcile.ts",
    find: "await loseReservations(env.DB, { taskId: id });",
    replace: "",
    test: CAPS,
  },
  {
    name: "nobody raises their own cap",
    file: "shared/store/decisions/approvals.ts",
    find: "approvals.allows IS NULL AND",
    replace: "",
    test: CAPS,
  },
  {
    name: "what is allowed is allowed once",
    file: "workers/planner/turn/spend.ts",
    find: "tokens: room.tokens + tokens,",
    replace: "tokens: 1e12,",
    test: CAPS,
  },
];
