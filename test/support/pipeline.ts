/** The whole pipeline on one machine's runtime: the real Workers, real queues, D1 and Workflows, and a Bot API at its HTTP edge. */
import { resolve } from "node:path";
import { makeFree } from "../../scripts/cloudflare/generated.ts";
import { migrate } from "../../scripts/local/migrate.ts";
import { type Outbound, startRuntime } from "../../scripts/local/runtime.ts";
import { bindHands } from "../../scripts/installation/hands.ts";
import { selectVars } from "../../scripts/installation/settings.ts";
import { readWorkerConfig } from "../../scripts/installation/worker-config.ts";
import { sha256Hex } from "../../shared/ids.ts";
import type { Timings } from "../../shared/limits.ts";
import type { TaskState } from "../../shared/contracts/task.ts";
import { openEngine } from "./engine.ts";
import { checkAnswer } from "./api-answers.ts";
import type { Control } from "./control.ts";
import { TelegramServer } from "../../fakes/telegram-server.ts";
import { watchedConfig, type WorkerName, WORKERS } from "./worker-configs.ts";
import { until } from "./until.ts";

export const API_KEY = "errand_default_0123456789abcdefghijklmn";
export const WEBHOOK_SECRET = "a-webhook-secret";
const DESK = resolve("test/support/entries/desk.ts");
/** For the day when it never is. */
const QUIET_MS_MAX = 120_000;

export interface PipelineOptions {
  timings?: Partial<Timings>;
  /** Hears of every effect, and may keep it from happening: the Workers are then wrapped by `test/support/entries`. */
  control?: Control;
  vars?: Record<string, string>;
  /** Code runs side by side then, as it does in production. */
  runnerBeside?: boolean;
  /** As Workers Free takes it. */
  free?: boolean;
  /** Scripts run in containers, on the engine of this machine. */
  hands?: boolean;
  /** Who is asked by the gate of the containers. */
  outbound?: Outbound;
  /** Another entry for a Worker, which imports the real one. */
  mains?: Partial<Record<WorkerName, string>>;
}

interface Call {
  id: string;
  ok: boolean | null;
  output: string | null;
  value?: unknown;
  error: string | null;
  files: string[];
}

export interface TaskBody {
  id: string;
  status: TaskState;
  result: { text: string; calls: Call[] } | null;
  error: { code: string; message: string } | null;
  receipt: { event: string; at: string; data: unknown }[];
  delivery: {
    state: string;
    reason: string | null;
    messages: { part: number; id: string; doubts: number }[];
  } | null;
  usage: { turns: number };
}

export type Pipeline = Awaited<ReturnType<typeof openPipeline>>;

export async function openPipeline(options: PipelineOptions = {}) {
  const telegram = new TelegramServer();
  const vars = {
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_WEBHOOK_SECRET: WEBHOOK_SECRET,
    TELEGRAM_ALLOWED_USERS: "*",
    TELEGRAM_BOT_USERNAME: "errand_test_bot",
    TELEGRAM_API_BASE: await telegram.listen(),
    ERRAND_TIMINGS: JSON.stringify(options.timings ?? {}),
    ...(options.control && { CONTROL_URL: await options.control.listen() }),
    ...(options.hands === true && { ERRAND_HANDS: "container" }),
    ...options.vars,
  };
  const engine = options.hands === true ? await openEngine() : null;
  const workerOf = async (name: WorkerName) => {
    const paid = await (options.control ? watchedConfig(name) : readWorkerConfig(name));
    const planned = options.free === true ? makeFree(paid) : paid;
    const config = engine === null ? planned : bindHands(planned);
    const main = options.mains?.[name];
    return {
      config: { ...config, ...(main !== undefined && { main: resolve(main) }) },
      vars: name === "runner" ? {} : vars,
    };
  };
  const all = await Promise.all(WORKERS.map(workerOf));
  const runner = await workerOf("runner");
  const { compatibility_date, r2_buckets } = await readWorkerConfig("planner");
  const desk = {
    config: { name: "desk", main: DESK, compatibility_date, r2_buckets },
    vars: {},
  };
  const hands =
    engine === null
      ? []
      : [
          {
            config: await readWorkerConfig("hands"),
            vars: { ERRAND_TOOLCHAIN: "", ...selectVars("hands", vars) },
            ...(options.outbound && { outbound: options.outbound }),
          },
        ];
  const logs: string[] = [];
  const runtime = await startRuntime({
    ...(options.runnerBeside === true
      ? { workers: [...all, ...hands, desk] }
      : { workers: [...all.slice(0, -1), ...hands, desk], runner }),
    ...(engine !== null && { engine: engine.socket }),
    door: 0,
    onLine: (line) => logs.push(line),
  });
  await migrate(runtime);
  const sql = async <Row>(
    text: string,
    ...bindings: (string | number | null | undefined)[]
  ): Promise<Row[]> => {
    const [rows] = await runtime.batch([{ sql: text, bindings: bindings.map((value) => value ?? null) }]);
    return rows as Row[];
  };
  const hash = await sha256Hex(API_KEY);
  await sql(
    "INSERT INTO api_keys (hash, tenant_id, label, created_at) VALUES (?, 'default', 'test', 1)",
    hash,
  );

  const api = async <Body = TaskBody>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const response = await fetch(`${runtime.url}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${API_KEY}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    checkAnswer(method, path, response.ok, answer);
    return { status: response.status, body: answer as Body };
  };

  return {
    url: runtime.url,
    runtime,
    /** What the Workers have printed. */
    logs,
    telegram,
    engine,
    sql,
    api,
    /** What lies in R2. */
    objects: async () => (await (await runtime.fetch("desk", "http://desk/")).json()) as string[],
    /** Sends an update to the webhook, as Telegram does. */
    hook: (update: unknown, secret = WEBHOOK_SECRET) =>
      fetch(`${runtime.url}/hooks/telegram`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-telegram-bot-api-secret-token": secret },
        body: typeof update === "string" ? update : JSON.stringify(update),
      }),
    /** Rings the clock; `at` is the time that it says it is. */
    ring: (at?: Date) => runtime.ring("errand-ingress", at),
    /** Waits until nothing is left to do. */
    async quiet() {
      const left = () => sql("SELECT queue, key FROM outbox WHERE parked_reason IS NULL LIMIT 1");
      try {
        await until(async () => (await left()).length === 0, QUIET_MS_MAX, "the pipeline to be quiet");
      } catch (error) {
        throw new Error([String(error), JSON.stringify(await left()), ...logs.slice(-30)].join("\n"), {
          cause: error,
        });
      }
    },
    async ended(taskId: string) {
      return until(
        async () => {
          const { body } = await api("GET", `/tasks/${taskId}`);
          return body.result !== null && body;
        },
        QUIET_MS_MAX,
        `${taskId} to end`,
      );
    },
    async close() {
      await runtime.stop();
      await engine?.stop();
      await telegram.close();
    },
  };
}

let updates = 700_000;

/** An update with a text in a private chat. */
export function privateText(chatId: number, text: string, updateId = updates++) {
  const person = { id: chatId, first_name: "Ada", username: "ada_example" };
  return {
    update_id: updateId,
    message: {
      message_id: updateId - 600_000,
      from: { ...person, is_bot: false, language_code: "en" },
      chat: { ...person, type: "private" },
      date: 1_790_000_000,
      text,
    },
  };
}
