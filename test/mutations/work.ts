/** What holds the work itself: the model that speaks, files in and out, buttons. */
import type { Mutation } from "./mutation.ts";

export const WORK: readonly Mutation[] = [
  {
    name: "half an answer is none",
    file: "workers/planner/models/anthropic-stream.ts",
    find: 'if (!ended) throw new Error("the stream ended in the middle");',
    replace: 'if (!ended) message = { ...message, stop_reason: "end_turn" };',
    test: "test/pipeline/model.test.ts",
  },
  {
    name: "nobody listens to a model whose task has ended",
    file: "workers/planner/narrator.ts",
    find: 'if (outcome === "told") this.told = heard;',
    replace: 'if (outcome !== "lost") this.told = heard;',
    test: "test/pipeline/model.test.ts",
  },
  {
    name: "only who has the claim tells what is said",
    file: "shared/store/narration.ts",
    find: "AND claim = ?3 AND text IS NULL)",
    replace: "AND ?3 <> '' AND text IS NULL)",
    test: "test/unit/store",
  },
  {
    name: "the claim is renewed while the model speaks",
    file: "shared/store/narration.ts",
    find: "`UPDATE turns SET claimed_until = ?4 WHERE",
    replace: "`UPDATE turns SET claimed_until = MIN(claimed_until, ?4) WHERE",
    test: "test/unit/store",
  },
  {
    name: "a secret that a model repeats is not shown",
    file: "workers/planner/models/anthropic.ts",
    find: "reason: withoutSecrets(failure.reason, env)",
    replace: "reason: failure.reason",
    test: "test/pipeline/secrets.test.ts",
  },
  {
    name: "what a file says is fenced",
    file: "workers/planner/prompt-files.ts",
    find: "${fenced(text)}`",
    replace: "${text}`",
    test: "test/pipeline/files.test.ts",
  },
  {
    name: "a file is fetched once",
    file: "workers/planner/files.ts",
    find: "newest.filter(({ messageId, i }) => !attachments.has(keyOf(messageId, i)))",
    replace: "newest",
    test: "test/pipeline/files.test.ts",
  },
  {
    name: "a file's failure does not take the words with it",
    file: "workers/planner/files.ts",
    find: 'if (fetched.kind === "permanent") break;',
    replace: 'if (fetched.kind === "permanent") throw new Error(failure);',
    test: "test/pipeline/files.test.ts",
  },
  {
    name: "an artifact is its tenant's",
    file: "shared/store/artifacts.ts",
    find: "AND (?3 IS NULL OR t.tenant_id = (SELECT tenant_id FROM api_keys WHERE hash = ?3))",
    replace: "AND (?3 IS NULL OR ?3 <> '')",
    test: "test/pipeline/artifacts.test.ts",
  },
  {
    name: "a link is signed",
    file: "workers/ingress/api/artifacts.ts",
    find: "const isOurs = await equalInConstantTime(",
    replace: "const isOurs = true || await equalInConstantTime(",
    test: "test/pipeline/artifacts.test.ts",
  },
  {
    name: "a link expires",
    file: "workers/ingress/api/artifacts.ts",
    find: "if (isOurs && Number(expires) > Date.now()) return null;",
    replace: "if (isOurs) return null;",
    test: "test/pipeline/artifacts.test.ts",
  },
  {
    name: "a button that is heard too late is dropped",
    file: "workers/notifier/answer-button.ts",
    find: "Date.now() - reply.created_at > timings.callback_ms",
    replace: "reply.created_at > Date.now()",
    test: "test/pipeline/buttons.test.ts",
  },
];
