/** What keeps a workspace whole, and a script within it. */
import type { Mutation } from "./mutation.ts";

const SANDBOX = "test/sandbox/embedded.test.ts";
const SHELL = "test/pipeline/shell.test.ts";
const RULES = "test/pipeline/rules-of-files.test.ts";

export const SANDBOXES: readonly Mutation[] = [
  {
    name: "nothing is kept of what was too slow",
    file: "workers/runner/inside/bash.ts",
    find: "if (exitCode === TIMED_OUT && OWN_DEADLINE.test(said)) return LATE;",
    replace: "void LATE;",
    test: SANDBOX,
  },
  {
    name: "a job of one id runs once",
    file: "workers/executor/sandboxes/embedded.ts",
    find: "if (this.jobs.has(jobId)) return Promise.resolve();",
    replace: "",
    test: SANDBOX,
  },
  {
    name: "a bound on what is compared",
    file: "workers/runner/inside/bounded-diff.ts",
    find: "if (lines > LINES_MAX)",
    replace: "if (lines > 1e9)",
    test: SANDBOX,
  },
  {
    name: "what is broken in silence is refused",
    file: "workers/runner/inside/bash.ts",
    find: "return BREAKS_LETTERS;",
    replace: "void BREAKS_LETTERS;",
    test: SANDBOX,
  },
  {
    name: "what nobody waits for is done before the code is",
    file: "workers/runner/inside/harness.ts",
    find: "  await scripts;\n",
    replace: "",
    test: SHELL,
  },
  {
    name: "a path is a file's or a folder's, whoever made it up",
    file: "workers/executor/laying.ts",
    find: "(isUnseen ? UNSEEN : whyClash(there, path, content))",
    replace: "(isUnseen ? UNSEEN : null)",
    test: SHELL,
  },
  {
    name: "what closes a list holds for files",
    file: "workers/executor/rules.ts",
    find: '(decision === "deny" && hosts === undefined && commands === undefined)',
    replace: "false",
    test: RULES,
  },
  {
    name: "links are not kept",
    file: "workers/runner/inside/bash.ts",
    find: "if (isSymbolicLink) links.push(path);",
    replace: "if (isSymbolicLink) left.set(path, new Uint8Array());",
    test: SANDBOX,
  },
  {
    name: "the workspace of code is counted outside the isolate",
    file: "shared/code-form.ts",
    find: "if (sizeOf(written) > LIMITS.sandbox_bytes_max) return null;",
    replace: "",
    test: "test/runner.test.ts",
  },
  {
    name: "a path that a job has made up is read",
    file: "workers/executor/laying.ts",
    find: 'if (normalizePath(path) !== path) return "no path of a workspace";',
    replace: "void normalizePath;",
    test: SHELL,
  },
  {
    name: "what the policy refuses is not laid out",
    file: "workers/executor/laying.ts",
    find: "if (refused.includes(file)) continue;",
    replace: "",
    test: RULES,
  },
  {
    name: "nor changed",
    file: "workers/executor/laying.ts",
    find: "  return refuse(path);\n}",
    replace: "  void refuse;\n  return null;\n}",
    test: RULES,
  },
  {
    name: "a file that grew too large is named",
    file: "workers/executor/laying.ts",
    find: "if ((content?.length ?? 0) > LIMITS.file_bytes_max)",
    replace: "if ((content?.length ?? 0) > 1e9)",
    test: SHELL,
  },
  {
    name: "code runs no script that a policy would hold back",
    file: "workers/executor/tools/run-code.ts",
    find: "runsScripts(code) && mayRunScripts(workspace.policy, definition)",
    replace: "runsScripts(code)",
    test: RULES,
  },
  {
    name: "a change that was made is not made again",
    file: "workers/executor/tools/shell.ts",
    find: "if (workspace.made !== null) return await findAside(context, workspace.made);",
    replace: "void findAside;",
    test: "test/fault/crashes.test.ts",
  },
];
