/** A Worker's bindings, each of whose effects the control server hears of first. They belong to whoever uses them: see `current`. */
import { current } from "./invocation.ts";

const QUEUES: ReadonlySet<string> = new Set(["INBOUND", "TASKS", "REPLIES", "DEAD_LETTERS"]);

export function watched<Env extends { DB: D1Database }>(env: Env): Env {
  const bindings: Record<string, unknown> = Object.fromEntries(Object.entries(env));
  for (const [name, binding] of Object.entries<unknown>({ ...env })) {
    // By name: an RPC binding has every method that it is asked for.
    if (name === "DB") bindings[name] = database(binding as D1Database);
    else if (QUEUES.has(name)) bindings[name] = queue(binding as Queue, name);
    else if (name === "FILES") bindings[name] = bucket(binding as R2Bucket);
    else if (name === "TASK_WORKFLOW") bindings[name] = workflow(binding as Workflow);
    else if (name === "PLANNER") bindings[name] = rpc(binding as Methods, ["nextTurn"]);
    else if (name === "NOTIFIER") bindings[name] = rpc(binding as Methods, ["fetchFile"]);
    else if (name === "HANDS")
      bindings[name] = rpc(binding as Methods, ["begin", "poll", "cancel", "take", "listFetched"]);
    else if (name === "RUNNER") bindings[name] = runner(binding as Fetcher);
  }
  return bindings as Env;
}

function database(db: D1Database) {
  const real = new WeakMap<object, { prepared: D1PreparedStatement; sql: string }>();
  const written = (results: D1Result[]) => results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
  const statement = (prepared: D1PreparedStatement, sql: string): object => {
    const one = (work: () => Promise<D1Result>) =>
      current().effect({ kind: "d1", name: nameOf(sql) }, work, (result) => written([result]));
    const facade = {
      bind: (...values: unknown[]) => statement(prepared.bind(...values), sql),
      run: () => one(() => prepared.run()),
      all: () => one(() => prepared.all()),
    };
    real.set(facade, { prepared, sql });
    return facade;
  };
  return {
    prepare: (sql: string) => statement(db.prepare(sql), sql),
    batch: (facades: object[]) => {
      const statements = facades.flatMap((facade) => real.get(facade) ?? []);
      const name = `${nameOf(statements[0]?.sql ?? "")} batch`;
      return current().effect(
        { kind: "d1", name, statements: statements.length },
        () => db.batch(statements.map(({ prepared }) => prepared)),
        written,
      );
    },
  };
}

/** `UPDATE tasks`: what a statement does, and to which table. */
function nameOf(sql: string): string {
  const [, verb = "", table = ""] =
    /^\s*(?:WITH \w+ AS (?:MATERIALIZED )?\(\s*)?(INSERT|UPDATE|DELETE|SELECT)\b(?:[\s\S]*?\b(?:INTO|FROM)\s+|\s+)(\w+)/.exec(
      /^\s*UPDATE/.test(sql) ? sql.replace(/\bFROM\b/g, "") : sql,
    ) ?? ["", "", sql.slice(0, 20)];
  return `${verb} ${table}`;
}

function queue(binding: Queue, name: string) {
  return {
    sendBatch: (messages: MessageSendRequest[]) =>
      current().effect({ kind: "queue", name, statements: messages.length }, () =>
        binding.sendBatch(messages),
      ),
  };
}

function workflow(binding: Workflow) {
  const effect = <Result>(name: string, work: () => Promise<Result>) =>
    current().effect({ kind: "workflow", name }, work);
  return {
    create: (options: WorkflowInstanceCreateOptions) => effect("create", () => binding.create(options)),
    get: async (id: string) => {
      const instance = await binding.get(id);
      return {
        status: () => instance.status(),
        pause: () => effect("pause", () => instance.pause()),
        resume: () => effect("resume", () => instance.resume()),
        restart: () => effect("restart", () => instance.restart()),
        sendEvent: (event: { type: string; payload: unknown }) =>
          effect("sendEvent", () => instance.sendEvent(event)),
        terminate: () => effect("terminate", () => instance.terminate()),
      };
    },
  };
}

function bucket(binding: R2Bucket) {
  const effect = <Result>(name: string, work: () => Promise<Result>) =>
    current().effect({ kind: "r2", name }, work);
  return {
    put: (...args: Parameters<R2Bucket["put"]>) => effect("put", () => binding.put(...args)),
    get: (...args: Parameters<R2Bucket["get"]>) => effect("get", () => binding.get(...args)),
  };
}

function runner(binding: Fetcher) {
  return {
    fetch: (...args: Parameters<Fetcher["fetch"]>) =>
      current().effect({ kind: "rpc", name: "runCode" }, () => binding.fetch(...args)),
  };
}

type Methods = Record<string, (...args: unknown[]) => Promise<unknown>>;

function rpc(binding: Methods, methods: readonly string[]) {
  const call =
    (method: string) =>
    (...args: unknown[]) =>
      current().effect({ kind: "rpc", name: method }, async () => binding[method]?.(...args));
  return Object.fromEntries(methods.map((method) => [method, call(method)]));
}
