/** What holds that a deploy may be repeated, killed and taken back, and that nothing secret is left behind. */
import type { Mutation } from "./mutation.ts";

const INSTALL = "test/deploy/install.test.ts";
const CHANGES = "test/deploy/changes.test.ts";
const REFUSALS = "test/deploy/refusals.test.ts";

export const DEPLOY: readonly Mutation[] = [
  {
    name: "a Worker whose triggers are missing is deployed again",
    file: "scripts/cloudflare/workers.ts",
    find: "now.versionId === before.versionId",
    replace: "true",
    test: CHANGES,
  },
  {
    name: "a key is written down before the database knows it",
    file: "scripts/cloudflare/database.ts",
    find: "await deployment.remember({ apiKey: key, keyStored: false });",
    replace: "",
    test: INSTALL,
  },
  {
    name: "what was made by a run that was killed is taken as it is",
    file: "scripts/cloudflare/resources.ts",
    find: "TAKEN.has(error.code) || TAKEN_WORDS.test(error.message)",
    replace: "error.code === -1",
    test: CHANGES,
  },
  {
    name: "what was removed by a run that was killed is gone",
    file: "scripts/cloudflare/removal.ts",
    find: "if (GONE.has(error.code) ||",
    replace: "if (error.code === -1 ||",
    test: CHANGES,
  },
  {
    name: "the runner's refusal tells the plan",
    file: "scripts/cloudflare/workers.ts",
    find: "if (isPaidOnly(error)) return false;",
    replace: "",
    test: REFUSALS,
  },
  {
    name: "a bot is not taken from another installation",
    file: "scripts/cloudflare/webhooks/telegram.ts",
    find: "if (owner !== undefined)",
    replace: "if (owner === null)",
    test: REFUSALS,
  },
  {
    name: "settings that lead to this machine are refused",
    file: "scripts/cloudflare/deploy-settings.ts",
    find: "if (faults.length > 0 && !source.rehearsal)",
    replace: "if (faults.length > 99)",
    test: REFUSALS,
  },
  {
    name: "the record is its owner's alone",
    file: "scripts/cloudflare/record.ts",
    find: "\\n`, { mode: 0o600 });",
    replace: "\\n`, { mode: 0o644 });",
    test: INSTALL,
  },
  {
    name: "secrets do not outlive the deploy that sends them",
    file: "scripts/cloudflare/workers.ts",
    find: "    await rm(files.secrets, { force: true });",
    replace: "",
    test: INSTALL,
  },
  {
    name: "a secret that nobody gives any more is taken away",
    file: "scripts/cloudflare/workers.ts",
    find: "if (stale.length > 0) {",
    replace: "if (stale.length > 99) {",
    test: INSTALL,
  },
  {
    name: "a database of a later version is left alone",
    file: "scripts/cloudflare/database.ts",
    find: "if (later.length > 0)",
    replace: "if (later.length > 99)",
    test: CHANGES,
  },
  {
    name: "the Workflow of somebody else's is left alone",
    file: "scripts/cloudflare/install.ts",
    find: "if (live.workflowOwner !== null && live.workflowOwner !== executor)",
    replace: "if (live.workflowOwner === '')",
    test: REFUSALS,
  },
  {
    name: "with a domain workers.dev is closed",
    file: "scripts/cloudflare/generated.ts",
    find: ", workers_dev: false",
    replace: "",
    test: CHANGES,
  },
  {
    name: "batches of one on Workers Free",
    file: "scripts/cloudflare/generated.ts",
    find: "const FREE_BATCH_MAX = 1;",
    replace: "const FREE_BATCH_MAX = 100;",
    test: "test/pipeline/free.test.ts",
  },
  {
    name: "without a runner code is answered with what is missing",
    file: "workers/executor/tools/run-code.ts",
    find: "if (runner === undefined) return failing(NO_RUNNER);",
    replace: "if (runner === undefined) return transient('busy', 1_000);",
    test: "test/pipeline/free.test.ts",
  },
  {
    name: "without the name typed nothing is destroyed",
    file: "scripts/cloudflare/commands/destroy.ts",
    find: "if (typed !== name)",
    replace: "if (typed === '')",
    test: CHANGES,
  },
];
