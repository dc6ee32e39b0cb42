/** What is measured: Errand, and the floor below it. Both are given jobs, and both answer at a platform's HTTP edge. */
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { startRuntime } from "../scripts/local/runtime.ts";
import { readWorkerConfig } from "../scripts/installation/worker-config.ts";
import { openPipeline, privateText } from "../test/support/pipeline.ts";
import { WORKERS } from "../test/support/worker-configs.ts";
import { workerds } from "./processes.ts";

/** What is asked for: so many turns with a call each before the answer, each after so long a thought. */
export interface Job {
  calls: number;
  thinkMs: number;
}

export interface Subject {
  name: "floor" | "ours";
  /** Sends one job; resolves when it is acknowledged. */
  send(chat: number, job: Job): Promise<void>;
  /** Called with the chat when its answer is there, each time. */
  onAnswer: (chat: number) => void;
  /** Its workerd processes; none where there is no /proc. */
  pids: readonly number[];
  close(): Promise<void>;
}

/** The bare engine doing the same hops. */
export async function openFloor(): Promise<Subject> {
  const before = new Set(workerds());
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      response.end("{}");
      subject.onAnswer(JSON.parse(body).chat_id);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const platform = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const workers = WORKERS.map(async (name) => ({
    config: { ...(await readWorkerConfig(name)), main: resolve(`bench/floor/${name}.ts`) },
    vars: { PLATFORM_URL: platform },
  }));
  const runtime = await startRuntime({
    workers: await Promise.all(workers),
    door: 0,
    onLine: (line) => console.error(line),
  });
  await runtime.batch([
    { sql: "CREATE TABLE jobs (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID" },
  ]);
  const subject: Subject = {
    name: "floor",
    onAnswer: () => undefined,
    pids: workerds().filter((pid) => !before.has(pid)),
    async send(chat, { calls }) {
      const body = JSON.stringify({ id: `job-${chat}`, chat, calls });
      const response = await fetch(runtime.url, { method: "POST", body });
      await response.text();
      if (response.status !== 200) throw new Error(`the floor answered ${response.status}`);
    },
    async close() {
      await runtime.stop();
      server.closeAllConnections();
      server.close();
    },
  };
  return subject;
}

/** Errand, with everything it does. */
export async function openOurs(): Promise<Subject & { pipeline: Awaited<ReturnType<typeof openPipeline>> }> {
  const before = new Set(workerds());
  // Code runs side by side, as in production.
  const pipeline = await openPipeline({
    runnerBeside: true,
    mains: { planner: "bench/scripted-planner.ts" },
  });
  const subject = {
    name: "ours" as const,
    pipeline,
    onAnswer: (chat: number) => void chat,
    pids: workerds().filter((pid) => !before.has(pid)),
    async send(chat: number, { calls, thinkMs }: Job) {
      const words = `calls ${calls}${thinkMs > 0 ? ` thinking ${thinkMs} ms` : ""}`;
      const response = await pipeline.hook(privateText(chat, words));
      await response.text();
      if (response.status !== 200) throw new Error(`ingress answered ${response.status}`);
    },
    close: () => pipeline.close(),
  };
  // The answer is there when a message says it.
  pipeline.telegram.onShown = ({ chatId, text: shown }) => {
    if (!shown.startsWith("⏳") && !shown.endsWith(" …")) subject.onAnswer(Number(chatId));
  };
  return subject;
}
