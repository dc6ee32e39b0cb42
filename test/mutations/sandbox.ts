/** What keeps a workspace whole, and a script within it. */
import type { Mutation } from "./mutation.ts";

const SANDBOX = "test/sandbox.test.ts";
const SHELL = "test/pipeline/shell.test.ts";

export const SANDBOXES: readonly Mutation[] = [
  {
    name: "nothing is kept of what was too slow",
    file: "workers/executor/sandboxes/embedded.ts",
    find: 'if (error !== null) return { kind: "timed_out", ...said };',
    replace: "void error;",
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
    test: SHELL,
  },
  {
    name: "nor changed",
    file: "workers/executor/laying.ts",
    find: "  return refuse(path);\n}",
    replace: "  void refuse;\n  return null;\n}",
    test: SHELL,
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
    test: SHELL,
  },
  {
    name: "a change that was made is not made again",
    file: "workers/executor/tools/shell.ts",
    find: "if (workspace.made !== null) return await findAside(context, workspace.made);",
    replace: "void findAside;",
    test: "test/fault/crashes.test.ts",
  },
];
