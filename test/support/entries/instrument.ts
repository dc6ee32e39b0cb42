/** Bindings that report every effect they have: what kind, how many statements, how many rows written. */

/** One effect, as the ledger gets it. */
export interface Effect {
  stage: string;
  kind: "d1" | "queue" | "workflow";
  name: string;
  statements: number;
  rowsWritten: number;
}

interface Bound {
  DB: D1Database;
  /** Where effects are reported to, before the effect's result is handed on. */
  LEDGER_URL: string;
}

const QUEUES: ReadonlySet<string> = new Set(["INBOUND", "TASKS", "REPLIES", "DEAD_LETTERS"]);

export function instrument<Env extends Bound>(env: Env, stage: string): Env {
  const report = async (effect: Omit<Effect, "stage">) => {
    await fetch(env.LEDGER_URL, { method: "POST", body: JSON.stringify({ stage, ...effect }) });
  };
  const wrapped: Record<string, unknown> = {
    ...Object.fromEntries(Object.entries(env)),
    DB: database(env.DB, report),
  };
  for (const [name, binding] of Object.entries(env)) {
    // By name: an RPC binding has every method that it is asked for.
    if (QUEUES.has(name)) wrapped[name] = queue(binding as Queue, name, report);
    else if (name === "TASK_WORKFLOW") wrapped[name] = workflow(binding as Workflow, name, report);
  }
  return wrapped as Env;
}

type Report = (effect: Omit<Effect, "stage">) => Promise<void>;

function database(db: D1Database, report: Report) {
  const real = new WeakMap<object, D1PreparedStatement>();
  const written = (results: D1Result[]) => results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
  const statement = (prepared: D1PreparedStatement): object => {
    const one = async (result: D1Result) => {
      await report({ kind: "d1", name: "run", statements: 1, rowsWritten: written([result]) });
      return result;
    };
    const facade = {
      bind: (...values: unknown[]) => statement(prepared.bind(...values)),
      run: async () => one(await prepared.run()),
      all: async () => one(await prepared.all()),
    };
    real.set(facade, prepared);
    return facade;
  };
  return {
    prepare: (sql: string) => statement(db.prepare(sql)),
    batch: async (facades: object[]) => {
      const results = await db.batch(facades.map((facade) => real.get(facade) as D1PreparedStatement));
      await report({ kind: "d1", name: "batch", statements: facades.length, rowsWritten: written(results) });
      return results;
    },
  };
}

function queue(binding: Queue, name: string, report: Report) {
  return {
    sendBatch: async (messages: MessageSendRequest[]) => {
      await binding.sendBatch(messages);
      await report({ kind: "queue", name, statements: messages.length, rowsWritten: 0 });
    },
  };
}

function workflow(binding: Workflow, name: string, report: Report) {
  return {
    get: (id: string) => binding.get(id),
    create: async (options: WorkflowInstanceCreateOptions) => {
      const instance = await binding.create(options);
      await report({ kind: "workflow", name, statements: 1, rowsWritten: 0 });
      return instance;
    },
  };
}
