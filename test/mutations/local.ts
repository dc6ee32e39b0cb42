/** What keeps one machine shut, and its runner alive. */
import type { Mutation } from "./mutation.ts";

const DOOR = "test/restart/door.test.ts";
const RUNNER = "test/runner.test.ts";

export const LOCAL: readonly Mutation[] = [
  {
    name: "nothing behind the socket that is not the door",
    file: "scripts/local/workerd.ts",
    find: "...(tools.explorer === undefined && { upstream: NOWHERE }),",
    replace: "",
    test: DOOR,
  },
  {
    name: "the caretaker's secret",
    file: "scripts/local/inside/caretaker.ts",
    find: 'request.headers.get("authorization") !== env.SECRET',
    replace: 'request.headers.get("authorization") === "never"',
    test: DOOR,
  },
  {
    name: "the empty environment of workerd",
    file: "scripts/local/workerd.sh",
    find: "setpriv --pdeathsig KILL env -i TZ=UTC",
    replace: "setpriv --pdeathsig KILL env TZ=UTC",
    test: DOOR,
  },
  {
    name: "workerd's end with its parent",
    file: "scripts/local/workerd.sh",
    find: "exec setpriv --pdeathsig KILL env",
    replace: "exec setpriv --pdeathsig clear env",
    test: "test/restart/start.test.ts",
  },
  {
    name: "a state that was open to others",
    file: "scripts/local/errand.ts",
    find: "  await closeToOthers(state);",
    replace: "  void closeToOthers;",
    test: DOOR,
  },
  {
    name: "the refusal of a newer state",
    file: "scripts/local/migrate.ts",
    find: "if (unknown.length > 0)",
    replace: "if (unknown.length > 999)",
    test: "test/restart/start.test.ts",
  },
  {
    name: "a redirect that is not followed",
    file: "shared/fetch.ts",
    find: '{ ...init, redirect: "manual" }',
    replace: '{ ...init, redirect: "follow" }',
    test: "test/pipeline/redirects.test.ts",
  },
  {
    name: "the bundle whose source has changed",
    file: "scripts/installation/bundle.ts",
    find: "now[path] === hash) ? kept : null",
    replace: "now[path] === hash || true) ? kept : null",
    test: "test/bundle.test.ts",
  },
  {
    name: "one run for each isolate",
    file: "workers/runner/inside/harness.ts",
    find: "if (begun) return new Answer(null, { status: 403 });",
    replace: "",
    test: RUNNER,
  },
  {
    name: "the end of what goes on after its answer",
    file: "scripts/local/runner.ts",
    find: 'if (headers.get("x-goes-on") === "true")',
    replace: 'if (headers.get("x-goes-on") === "never")',
    test: RUNNER,
  },
  {
    name: "the end of code that nobody waits for",
    file: "scripts/local/runner.ts",
    find: "Promise.race([this.ask(workerd, asked), hungUp, late])",
    replace: "Promise.race([this.ask(workerd, asked), late])",
    test: RUNNER,
  },
  {
    name: "files counted outside the isolate",
    file: "shared/code-form.ts",
    find: "if (files.length > LIMITS.files_per_call_max || sizeOf(files) > LIMITS.file_bytes_max) return null;",
    replace: "",
    test: RUNNER,
  },
  {
    name: "types stripped in an isolate",
    file: "workers/runner/isolate.ts",
    find: "const stripped = await stripTypes(isolates, request);",
    replace: "const stripped = null;",
    test: RUNNER,
  },
];
