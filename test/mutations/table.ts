/** What holds the promise, removed one at a time. Each must be noticed by the suite; `test` is where to look first. */

export interface Mutation {
  /** What is taken away. */
  name: string;
  file: string;
  /** Stands exactly once in the file. */
  find: string;
  replace: string;
  test: string;
}

const FAULT = "test/fault";

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "the outbox sweep",
    file: "shared/queue/sweep.ts",
    find: "const due = await takeDue(db, now, timings);",
    replace: "const due = (await takeDue(db, now, timings)).slice(0, 0);",
    test: `${FAULT}/bindings.test.ts`,
  },
  {
    name: "the outbox version, for tasks",
    file: "shared/store/outbox.ts",
    find: "WHERE queue = ? AND key = ? AND version = ?",
    replace: "WHERE queue = ? AND key = ? AND ? > 0",
    test: "test/unit/store",
  },
  {
    name: "the outbox version, for inbound",
    file: "shared/store/triage.ts",
    find: "SELECT value->>'id', value->>'version' FROM json_each(?))",
    replace: "SELECT key, version FROM outbox WHERE key IN (SELECT value->>'id' FROM json_each(?)))",
    test: "test/unit/store",
  },
  {
    name: "the outbox version, for replies",
    file: "shared/store/replies.ts",
    find: "DELETE FROM outbox WHERE queue = 'replies' AND key = ?1 AND version = ?3",
    replace: "DELETE FROM outbox WHERE queue = 'replies' AND key = ?1 AND ?3 > 0",
    test: "test/unit/store",
  },
  {
    name: "the reply's lease",
    file: "shared/store/replies.ts",
    find: "AND state = 'open' AND lease_until <= ?4",
    replace: "AND state = 'open' AND ?4 > 0",
    test: "test/unit/store",
  },
  {
    name: '"only while active" in the message claim',
    file: "shared/store/turns.ts",
    find: "SELECT id, ?2, ?3, ?4 FROM tasks WHERE id = ?1 AND ${ACTIVE}",
    replace: "SELECT id, ?2, ?3, ?4 FROM tasks WHERE id = ?1",
    test: "test/unit/store",
  },
  {
    name: "the hand-over at a task's end",
    file: "shared/store/end.ts",
    find: '{ sql: "SELECT conversation_id FROM tasks WHERE id = ?1", binding: taskId }',
    replace: "{ sql: \"SELECT '' WHERE ?1 = ''\", binding: taskId }",
    test: `${FAULT}/crashes.test.ts`,
  },
  {
    name: "the one-active index",
    file: "shared/store/migrations/0001_init.sql",
    find: "CREATE UNIQUE INDEX tasks_one_active",
    replace: "CREATE INDEX tasks_one_active",
    test: "test/unit/store",
  },
  {
    name: "edit instead of send",
    file: "workers/notifier/show.ts",
    find: "const edited = await outlet.edit(created.value, part);",
    replace: "const edited = await outlet.create(part, false);",
    test: `${FAULT}/traces.test.ts`,
  },
  {
    name: "the turn's claim",
    file: "shared/store/turns.ts",
    find: "WHERE turns.text IS NULL AND turns.claimed_until <= ?5",
    replace: "WHERE turns.text IS NULL AND ?5 > 0",
    test: "test/unit/store",
  },
  {
    name: "the status check after already_exists",
    file: "workers/executor/look.ts",
    find: "const instance = await env.TASK_WORKFLOW.get(id);\n  const { status } = await instance.status();",
    replace:
      "if (id !== '') return;\n  const instance = await env.TASK_WORKFLOW.get(id);\n  const { status } = await instance.status();",
    test: `${FAULT}/crashes.test.ts`,
  },
  {
    name: "the idempotency of the webhook",
    file: "workers/ingress/accept.ts",
    find: 'const id = await deriveId("inb", TENANT, channel, dedupKey);',
    replace: 'const id = await deriveId("inb", TENANT, channel, dedupKey, crypto.randomUUID());',
    test: "test/unit/ingress",
  },
  {
    name: "the end of the message that began the task",
    file: "shared/store/end.ts",
    find: "WHERE id = 'msg_' || substr(?1, 6) AND turn_id IS NULL AND ${byMe}",
    replace: "WHERE id = 'msg_' || substr(?1, 6) AND turn_id IS NULL AND ${byMe} AND 1 = 0",
    test: "test/unit/store",
  },
  {
    name: "the doubt of a creation that nobody recorded",
    file: "shared/store/replies.ts",
    find: "SET state = 'doubtful', doubts = doubts + 1",
    replace: "SET state = 'absent'",
    test: "test/pipeline/delivery.test.ts",
  },
  {
    name: "the bound of doubts",
    file: "workers/notifier/show.ts",
    find: "if (doubts > LIMITS.doubts_max) {",
    replace: "if (doubts > 1_000) {",
    test: "test/pipeline/delivery.test.ts",
  },
  {
    name: "the task's release when no instance could be made",
    file: "workers/executor/look.ts",
    find: "await releaseLook(env.DB, id);",
    replace: "",
    test: "test/unit/executor",
  },
  {
    name: "the first observation wins",
    file: "shared/store/calls.ts",
    find: 'AND n = ?2 AND k = ?3 AND ok IS NULL",',
    replace: 'AND n = ?2 AND k = ?3",',
    test: "test/unit/store",
  },
  {
    name: "the look at the task before a call",
    file: "workers/executor/act.ts",
    find: "if (started === undefined || isFinal(started.state))",
    replace: "if (started === undefined)",
    test: "test/unit/executor",
  },
  {
    name: "the termination of a stopped task",
    file: "workers/executor/look.ts",
    find: "await terminate(env, id);\n    await deleteDoorbell",
    replace: "await deleteDoorbell",
    test: `${FAULT}/crashes.test.ts`,
  },
  {
    name: "acknowledging one by one",
    file: "shared/queue/consume.ts",
    find: "else await Promise.all(messages.map((message) => alone(message, consumer)));",
    replace: "else retryAll(messages, consumer, error);",
    test: "test/pipeline/dead-letters.test.ts",
  },
  {
    name: "the retry of a look that failed",
    file: "shared/queue/consume.ts",
    find: "message.retry({ delaySeconds: backoffMs(message.attempts, RETRY_MS_MAX) / 1_000 });",
    replace: "message.ack();",
    test: "test/pipeline/dead-letters.test.ts",
  },
  {
    name: "an edited command is not run again",
    file: "workers/planner/triage.ts",
    find: "if (event.edited === true) {",
    replace: "if (event.edited === undefined && text === '') {",
    test: "test/pipeline/groups.test.ts",
  },
  {
    name: "an edit reaches only what is unread",
    file: "shared/store/triage.ts",
    find: "WHERE conversation_id = ?1 AND turn_id IS NULL AND external_id = ?2",
    replace: "WHERE conversation_id = ?1 AND external_id = ?2",
    test: "test/unit/store",
  },
  {
    name: "the fence around what a tool brings",
    file: "workers/planner/prompt.ts",
    find: 'text.replaceAll(/<(\\/?untrusted)/gi, "&lt;$1")',
    replace: "text",
    test: "test/unit/planner",
  },
  {
    name: "the platform's limit holds for every ring",
    file: "workers/notifier/failures.ts",
    find: "const notBefore = rateLimited ? lookAt : 0;",
    replace: "const notBefore = rateLimited ? 0 : 0;",
    test: "test/pipeline/delivery.test.ts",
  },
  {
    name: "a stop that stopped nothing takes nothing with it",
    file: "shared/store/end.ts",
    find: "WHERE conversation_id = ?1 AND turn_id IS NULL AND EXISTS (${mine})`",
    replace: "WHERE conversation_id = ?1 AND turn_id IS NULL AND ?2 <> ''`",
    test: "test/unit/store",
  },
  {
    name: "what is not handled is not purged",
    file: "shared/store/inbound.ts",
    find: "AND received_at < ?2 AND state IN ('handled', 'ignored')",
    replace: "AND received_at < ?2",
    test: "test/unit/store",
  },
  {
    name: "a parked message is no new one",
    file: "shared/store/outbox.ts",
    find: "WHERE ?3 = 'inbound' AND id = ?1 AND state = 'new'",
    replace: "WHERE ?3 = 'nothing' AND id = ?1 AND state = 'new'",
    test: "test/unit/store",
  },
  {
    name: "the end after the last turn",
    file: "workers/executor/task-workflow.ts",
    find: 'await this.end(step, { taskId, state: "failed", answer: { text } });',
    replace: "if (text === '') return;",
    test: "test/pipeline/model.test.ts",
  },
  {
    name: "the lease lasts while messages are created",
    file: "shared/store/replies.ts",
    find: "UPDATE replies SET lease_until = ?3 WHERE id = ?1 AND lease_token = ?2",
    replace: "UPDATE replies SET lease_until = lease_until WHERE id = ?1 AND lease_token = ?2 AND ?3 > 0",
    test: "test/unit/store",
  },
  {
    name: "a call that is done is not made again",
    file: "workers/executor/act.ts",
    find: 'if (started.done) return { kind: "observed", ok: true };',
    replace: "",
    test: "test/unit/executor",
  },
  {
    name: "a repeated /new forgets nothing that came after it",
    file: "shared/store/triage.ts",
    find: "WHERE id = ?1 AND EXISTS (SELECT 1 FROM inbound WHERE id = ?2 AND state = 'new')",
    replace: "WHERE id = ?1 AND ?2 <> ''",
    test: "test/unit/store",
  },
  {
    name: "what a restart lets go of",
    file: "shared/store/outbox.ts",
    find: "UPDATE outbox SET ring_at = 0, rings = 0 WHERE parked_reason IS NULL",
    replace: "UPDATE outbox SET rings = rings WHERE parked_reason IS NULL",
    test: "test/restart/kills.test.ts",
  },
];
