/** The whole house in one workerd: the real Workers, real queues, D1 and Workflows, and a Bot API at its HTTP edge. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createTestHarness } from "wrangler";
import { sha256Hex } from "../../shared/ids.ts";
import type { Timings } from "../../shared/limits.ts";
import type { TaskState } from "../../shared/contracts/task.ts";
import type { Control } from "./control.ts";
import { TelegramServer } from "../../stand-ins/telegram-server.ts";
import { configOf, watchedConfigOf, type WorkerName, WORKERS } from "./worker-configs.ts";
import { until } from "./until.ts";

export const API_KEY = "errand_default_0123456789abcdefghijklmn";
export const WEBHOOK_SECRET = "a-webhook-secret";
const DESK = resolve("test/support/entries/desk.ts");
const QUIET_MS_MAX = 30_000;

export interface HouseOptions {
  timings?: Partial<Timings>;
  /** Hears of every effect, and may keep it from happening: the Workers are then wrapped by `test/support/entries`. */
  control?: Control;
  vars?: Record<string, string>;
  runnerVars?: Record<string, string>;
  /** Another entry for a Worker, which imports the real one. */
  mains?: Partial<Record<WorkerName, string>>;
}

export interface TaskBody {
  id: string;
  status: TaskState;
  result: { text: string; calls: { id: string; ok: boolean | null; output: string | null }[] } | null;
  receipt: { event: string; at: string; data: unknown }[];
  delivery: {
    state: string;
    reason: string | null;
    messages: { part: number; id: string; doubts: number }[];
  } | null;
  usage: { turns: number };
}

export type House = Awaited<ReturnType<typeof openHouse>>;

export async function openHouse(options: HouseOptions = {}) {
  const telegram = new TelegramServer();
  const vars = {
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_WEBHOOK_SECRET: WEBHOOK_SECRET,
    TELEGRAM_ALLOWED_USERS: "*",
    TELEGRAM_BOT_USERNAME: "errand_test_bot",
    TELEGRAM_API_BASE: await telegram.listen(),
    ERRAND_TIMINGS: JSON.stringify(options.timings ?? {}),
    ...(options.control && { CONTROL_URL: await options.control.listen() }),
    ...options.vars,
  };
  const harness = createTestHarness({
    // Not here: a person's own .dev.vars must not reach the tests, nor the tests the person's bot.
    root: mkdtempSync(join(tmpdir(), "errand-house-")),
    workers: [
      ...WORKERS.map((name) => ({
        config: {
          ...(options.control ? watchedConfigOf(name) : configOf(name)),
          ...(options.mains?.[name] && { main: resolve(options.mains[name]) }),
          vars: name === "runner" ? (options.runnerVars ?? { ONE_AT_A_TIME: "true" }) : vars,
        },
      })),
      { config: { ...configOf("planner"), main: DESK, name: "desk", queues: {}, services: [] } },
    ],
  });
  const { url } = await harness.listen();
  const ingress = harness.getWorker("errand-ingress");
  await ingress.applyD1Migrations("DB");
  const desk = harness.getWorker("desk");
  const sql = async <Row>(text: string, ...bindings: unknown[]): Promise<Row[]> => {
    const response = await desk.fetch("/", { method: "POST", body: JSON.stringify({ sql: text, bindings }) });
    return (await response.json()) as Row[];
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
    const response = await harness.fetch(`/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${API_KEY}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Body };
  };

  return {
    url,
    harness,
    telegram,
    sql,
    api,
    /** What lies in R2. */
    objects: async () => (await (await desk.fetch("/")).json()) as string[],
    /** Sends an update to the webhook, as Telegram does. */
    hook: (update: unknown, secret = WEBHOOK_SECRET) =>
      harness.fetch("/hooks/telegram", {
        method: "POST",
        headers: { "content-type": "application/json", "x-telegram-bot-api-secret-token": secret },
        body: typeof update === "string" ? update : JSON.stringify(update),
      }),
    /** Rings the clock. */
    ring: () => ingress.scheduled({ cron: "* * * * *", scheduledTime: new Date() }),
    /** Waits until nothing is left to do. */
    async quiet() {
      const left = () => sql("SELECT queue, key FROM outbox WHERE parked_reason IS NULL LIMIT 1");
      try {
        await until(async () => (await left()).length === 0, QUIET_MS_MAX, "the house to be quiet");
      } catch (error) {
        const last = harness
          .getLogs()
          .slice(-30)
          .map(({ message }) => message);
        throw new Error([String(error), JSON.stringify(await left()), ...last].join("\n"), { cause: error });
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
      await harness.close();
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
