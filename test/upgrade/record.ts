/**
 * Records what an upgrade has to take over: the state folder of this version, killed with tasks in every state, what its people had been
 * shown, and its Workers, so that it can be gone back to. `node test/upgrade/record.ts
 * test/upgrade/states/<version>.tar.gz`; what is recorded of each released version is kept.
 */
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { calls, type ModelAnswer, type ModelRequest, ModelServer, says } from "../../fakes/model-server.ts";
import { bundleAll } from "../../scripts/installation/bundle.ts";
import { readWorkerConfig } from "../../scripts/installation/worker-config.ts";
import { listSamples } from "./contracts.ts";
import { WORKERS } from "../support/worker-configs.ts";
import { privateText, WEBHOOK_SECRET } from "../support/pipeline.ts";
import { install, type Running } from "../support/installation.ts";
import { until } from "../support/until.ts";

const [archive] = process.argv.slice(2);
if (archive === undefined) throw new Error("Usage: node test/upgrade/record.ts <file.tar.gz>");
const SETTLED_MS_MAX = 30_000;
/** As long as nobody expects the process to live. */
const NEVER_MS = 3_600_000;

/** What a person asks decides how far it comes before the kill. */
function answerOf({ body }: ModelRequest): ModelAnswer {
  const blocks = body.messages.flatMap(({ content }) => content);
  const words =
    blocks.findLast(
      ({ type, text }) => type === "text" && /^(say|think|compute|wait|fail)\b/.test(text ?? ""),
    )?.text ?? "";
  if (words.startsWith("think")) return "silence";
  if (words.startsWith("fail")) return { status: 400 };
  const result = blocks.findLast(({ type }) => type === "tool_result");
  if (result !== undefined) return words.startsWith("wait") ? "silence" : says("It is computed.");
  if (words.startsWith("compute")) return calls("run_code", { code: "6 * 7" }, "I compute.");
  if (words.startsWith("wait")) return calls("run_code", { code: "6 * 7" }, "I compute.");
  return says(`You said: ${words}`);
}

const model = new ModelServer();
model.answerTo = answerOf;
const errand = await install();
const environment = { ANTHROPIC_BASE_URL: await model.listen(), ANTHROPIC_MODEL: "stand-in" };

async function hook(running: Running, chat: number, text: string): Promise<void> {
  const response = await fetch(`${running.url}/hooks/telegram`, {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": WEBHOOK_SECRET },
    body: JSON.stringify(privateText(chat, text, 100_000 + chat * 10 + text.length)),
  });
  if (response.status !== 200) throw new Error(`${response.status} for ${text}`);
}

async function submit(running: Running, body: object): Promise<string> {
  const headers = { authorization: `Bearer ${running.apiKey}` };
  const response = await fetch(`${running.url}/v1/tasks`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
  return (JSON.parse(await response.text()) as { id: string }).id;
}

async function statusOf(running: Running, id: string): Promise<string> {
  const headers = { authorization: `Bearer ${running.apiKey}` };
  return (
    JSON.parse(await (await fetch(`${running.url}/v1/tasks/${id}`, { headers })).text()) as { status: string }
  ).status;
}

const answered = (chat: number) =>
  until(
    () => errand.telegram.in(chat).some(({ text }) => !text.startsWith("⏳") && !text.endsWith(" …")),
    SETTLED_MS_MAX,
    `an answer in ${chat}`,
  );

// Tasks that are out of time: no later start may have so short a deadline.
let running = await errand.start({
  ...environment,
  ERRAND_TIMINGS: JSON.stringify({ task_deadline_ms: 2_000, reconcile_claim_ms: 1_000 }),
});
const late = await submit(running, { prompt: "think of something" });
await hook(running, 101, "think of something");
await until(async () => (await statusOf(running, late)) === "timed_out", SETTLED_MS_MAX, "a time-out");
await answered(101);
running.killGroup();
await running.exited;

running = await errand.start({
  ...environment,
  ERRAND_TIMINGS: JSON.stringify({ model_silence_ms: NEVER_MS, model_call_ms: NEVER_MS }),
});
// Ended, in every way.
await hook(running, 102, "say hello");
await hook(running, 103, "compute it");
await hook(running, 104, "fail, please");
await hook(running, 105, "/run save('a.csv', 'a,b')");
await hook(running, 106, "/help");
await submit(running, { prompt: "say hello, program", conversation: "kept" });
for (const chat of [102, 103, 104, 105, 106]) await answered(chat);
await hook(running, 107, "think, and be stopped");
await until(() => errand.telegram.in(107).length > 0, SETTLED_MS_MAX, "a placeholder");
await hook(running, 107, "/stop");
await answered(107);
// Put aside.
await fetch(`${running.url}/hooks/telegram`, {
  method: "POST",
  headers: { "x-telegram-bot-api-secret-token": WEBHOOK_SECRET },
  body: JSON.stringify({ update_id: 1, message: { text: "nobody can read this" } }),
});
// Running: in its first turn, with a message behind it that nobody has read; and in its second.
await hook(running, 201, "think about it");
await hook(running, 202, "wait for it");
await submit(running, { prompt: "think about it", conversation: "program" });
await until(
  () => errand.telegram.in(201).length > 0 && errand.telegram.in(202).length > 0,
  SETTLED_MS_MAX,
  "placeholders",
);
const isSecondTurn = ({ body }: ModelRequest) =>
  JSON.stringify(body).includes("wait for it") && JSON.stringify(body).includes("tool_result");
await until(() => model.requests.some(isSecondTurn), SETTLED_MS_MAX, "a second turn");
await hook(running, 201, "say more");
// An answer that cannot be sent yet.
errand.telegram.faultOf = ({ chatId }) =>
  chatId === "203"
    ? { status: 429, description: "Too Many Requests: retry after 600", parameters: { retry_after: 600 } }
    : undefined;
await hook(running, 203, "say it later");
await until(() => errand.telegram.calls.some(({ chatId }) => chatId === "203"), SETTLED_MS_MAX, "a refusal");
await sleep(500);
// Only just accepted.
const last = [301, 302, 303, 304];
await Promise.all([
  ...last.map((chat) => hook(running, chat, "say hello")),
  ...last.map((n) => submit(running, { prompt: `say hello ${n}` })),
  ...last.map((n) => submit(running, { tool: "run_code", input: { code: `${n} * 2` } })),
]);
running.killGroup();
await running.exited;

const messages = errand.telegram.messages.map(({ file: _file, ...message }) => message);
await writeFile(join(errand.state, "shown.json"), JSON.stringify({ messages }));
const configs = await Promise.all(WORKERS.map((name) => readWorkerConfig(name)));
const bundles = await bundleAll(
  configs.map(({ main }) => main),
  { minify: true },
);
const workers = configs.map((config, index) => ({ config: { ...config, main: "" }, code: bundles[index] }));
await writeFile(join(errand.state, "workers.json"), JSON.stringify(workers));
const left = [
  "--exclude=*-shm",
  "--exclude=./v3/cache",
  "--exclude=./tmp",
  "--exclude=./*.log",
  "--exclude=./start.pid",
];
execFileSync("tar", [...left, "--owner=0", "--group=0", "-czf", resolve(archive), "-C", errand.state, "."]);
const golden = join(dirname(archive), "../contracts", `${basename(archive, ".tar.gz")}.json`);
await writeFile(golden, `${JSON.stringify(listSamples(), null, 1)}\n`);
await errand.remove();
model.close();
process.exit(0);
