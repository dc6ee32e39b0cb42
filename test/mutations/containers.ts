/** What keeps jobs in containers apart, bounded, and done once; and what keeps their gate shut. */
import type { Mutation } from "./mutation.ts";

const CONTAINER = "test/sandbox/container.test.ts";
const GATE = "test/sandbox/gate.test.ts";
const PIPELINE = "test/pipeline/containers.test.ts";
const DEPLOY = "test/deploy/containers.test.ts";
const EGRESS = "test/unit/shared/egress.test.ts";
const HAND = "workers/hands/hand.ts";

export const CONTAINERS: readonly Mutation[] = [
  {
    name: "a job in a container is begun once",
    file: HAND,
    find: 'if (job?.id === order.id) return { kind: "begun", startedAt: job.startedAt };',
    replace: "",
    test: CONTAINER,
  },
  {
    name: "what was cancelled never begins",
    file: HAND,
    find: "if (this.ledger.isCancelled(order.id)) return",
    replace: "if (order.id === '') return",
    test: CONTAINER,
  },
  {
    name: "a job's end ends everything",
    file: "workers/hands/inside/end.sh",
    find: "kill -s KILL -- -1 2>/dev/null\n",
    replace: "",
    test: CONTAINER,
  },
  {
    name: "the exit code is the script's own",
    file: "workers/hands/inside/status.sh",
    find: 'if ended && [ -s "$dir/code" ]; then',
    replace: "if ended && false; then",
    test: CONTAINER,
  },
  {
    name: "the workspace is laid out anew",
    file: "workers/hands/inside/lay.sh",
    find: "find . -mindepth 1 -delete && ",
    replace: "",
    test: CONTAINER,
  },
  {
    name: "what a job left is counted before it is read",
    file: "workers/hands/workspace.ts",
    find: "listed.cut || files.length > FILES_MAX || bytes > BYTES_MAX",
    replace: "listed.cut",
    test: CONTAINER,
  },
  {
    name: "what comes back is compared with what lay there then",
    file: "workers/executor/laying.ts",
    find: "laidAs === undefined ? change : { ...change, base: laidAs }",
    replace: "change",
    test: PIPELINE,
  },
  {
    name: "a job of a task that was stopped is ended",
    file: "workers/executor/reconcile.ts",
    find: "  if (conversation_id !== null) await cancelJob(env, conversation_id, id);\n",
    replace: "",
    test: "test/fault/traces.test.ts",
  },
  {
    name: "no more containers than may run",
    file: "shared/store/containers.ts",
    find: "< ${max}",
    replace: "< ${max + 1000}",
    test: PIPELINE,
  },
  {
    name: "a box ends with whoever has it",
    file: "scripts/local/engine/box.sh",
    find: '{ cat <&3 >/dev/null; kill -s KILL "$box"; } 2>/dev/null &\n',
    replace: "",
    test: "test/sandbox/engine.test.ts",
  },
  {
    name: "a box sees nothing of this machine's files",
    file: "scripts/local/engine/root.sh",
    find: "umount -l /.machine\nrmdir /.machine\n",
    replace: "",
    test: "test/sandbox/engine.test.ts",
  },
  {
    name: "the gate asks the list",
    file: "workers/hands/gate.ts",
    find: 'if (egress.kind === "refused") {',
    replace: 'if (egress.kind === "refused" && method === "PURGE") {',
    test: GATE,
  },
  {
    name: "the gate drops what a container says of itself",
    file: "workers/hands/gate.ts",
    find: "for (const name of STRIPPED) sent.delete(name);",
    replace: "",
    test: GATE,
  },
  {
    name: "the gate follows no redirect",
    file: "workers/hands/gate.ts",
    find: 'redirect: "manual"',
    replace: 'redirect: "follow"',
    test: GATE,
  },
  {
    name: "a bound on what one script asks for",
    file: "workers/hands/ledger.ts",
    find: "|| job.fetched.length >= LIMITS.egress_requests_max",
    replace: "",
    test: GATE,
  },
  {
    name: "what has acted is known",
    file: HAND,
    find: "...(acted && { acted }),",
    replace: "",
    test: GATE,
  },
  {
    name: "a path is judged as the server reads it",
    file: "shared/policy/egress.ts",
    find: "return /%|\\\\|\\/\\.{1,2}(?:\\/|$)|\\/\\//.test(path) ? null : path;",
    replace: "return path;",
    test: EGRESS,
  },
  {
    name: "a host is its whole name",
    file: "shared/policy/egress.ts",
    find: "one.host === host",
    replace: "host.startsWith(one.host)",
    test: EGRESS,
  },
  {
    name: "containers that are refused leave nothing behind",
    file: "scripts/cloudflare/containers.ts",
    find: "    await deleteWorker(deployment);\n    return error",
    replace: "    return error",
    test: DEPLOY,
  },
  {
    name: "where containers are refused nobody is bound to them",
    file: "scripts/cloudflare/deployment.ts",
    find: "this.record.handsRefused === null && ",
    replace: "",
    test: DEPLOY,
  },
  {
    name: "the gate is shut with the job",
    file: "workers/hands/ledger.ts",
    find: "job.isOver === true || ",
    replace: "",
    test: "test/unit/hands/ledger.test.ts",
  },
  {
    name: "what has acted is not begun again",
    file: "workers/hands/ledger.ts",
    find: "return lost?.id === id && hasChanged(lost);",
    replace: "return lost?.id === '';",
    test: "test/unit/hands/ledger.test.ts",
  },
];
