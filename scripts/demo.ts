/**
 * `npm run demo`: the pipeline on free ports with a state of its own, a person on Telegram, a model, and a program;
 * Telegram and the model are stand-ins on this machine. Shows what is said as it is said, and the receipt.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reasonOf } from "../shared/errors.ts";
import { calls, type ModelAnswer, type ModelRequest, ModelServer, says } from "../stand-ins/model-server.ts";
import { TelegramServer } from "../stand-ins/telegram-server.ts";
import { startErrand } from "./local/errand.ts";
import { freePort } from "./local/ports.ts";

const SECRET = "demo-secret";
const CHAT = 424_242;
const DEMO_MS_MAX = 60_000;
const QUESTION = "How many seconds does a leap year have?";

const started = Date.now();
const say = (who: string, words: string) => {
  const seconds = ((Date.now() - started) / 1_000).toFixed(1).padStart(5);
  console.log(`${seconds} s  ${who.padEnd(8)} ${words.replaceAll("\n", "\n                   ")}`);
};

/** A model of one thought: it computes, and reads the result. */
function think({ body }: ModelRequest): ModelAnswer {
  const blocks = body.messages.flatMap(({ content }) => content);
  const result = blocks.findLast(({ type }) => type === "tool_result");
  if (result === undefined) return calls("run_code", { code: "366 * 24 * 60 * 60" });
  return says(`A leap year has **${/\d+/.exec(result.content ?? "")?.[0]}** seconds.`);
}

const telegram = new TelegramServer();
const model = new ModelServer();
model.answerTo = (request) => {
  say("model", `is asked, with ${request.body.messages.length} message(s)`);
  return think(request);
};
const state = await mkdtemp(join(tmpdir(), "errand-demo-"));

const stopped = new Promise<never>((_, reject) => {
  const stop = (words: string) => () => reject(new Error(words));
  setTimeout(stop(`The demo took longer than ${DEMO_MS_MAX / 1_000} s.`), DEMO_MS_MAX);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop("Stopped."));
});
let code = 0;
try {
  await Promise.race([demo(), stopped]);
} catch (error) {
  console.error(reasonOf(error));
  code = 1;
}
model.close();
await telegram.close();
await rm(state, { recursive: true, force: true, maxRetries: 5 });
// Whatever still runs ends with this process.
process.exit(code);

async function demo(): Promise<void> {
  const errand = await startErrand({
    port: await freePort(),
    state,
    settings: {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_WEBHOOK_SECRET: SECRET,
      TELEGRAM_ALLOWED_USERS: "*",
      TELEGRAM_API_BASE: await telegram.listen(),
      ANTHROPIC_BASE_URL: await model.listen(),
    },
    say: (words) => say("demo", words),
    // Its log would stand between what people say.
    onLine: () => undefined,
  });
  try {
    await chat(errand.url);
    await program(errand.url, errand.key.apiKey);
    say("demo", "That was all. `npm start` runs it for you.");
  } finally {
    await errand.stop();
  }
}

/** A person asks on Telegram; the message that answers is created with its first words and edited to the whole. */
async function chat(url: string): Promise<void> {
  const answered = new Promise<void>((resolve) => {
    telegram.onShown = ({ text, edits }) => {
      say("errand", edits === 0 ? `${text}   (a new message)` : `${text}   (the same message, edited)`);
      if (!text.endsWith(" …") && !text.startsWith("⏳")) resolve();
    };
  });
  say("Ada", QUESTION);
  const from = { id: CHAT, is_bot: false, first_name: "Ada" };
  const message = { message_id: 1, date: 1, from, chat: { id: CHAT, type: "private" }, text: QUESTION };
  const response = await fetch(`${url}/hooks/telegram`, {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": SECRET },
    body: JSON.stringify({ update_id: 1, message }),
  });
  say("errand", `${response.status}: taken`);
  await answered;
}

/** A program submits a task and follows its events. */
async function program(url: string, apiKey: string): Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const get = async (path: string) => JSON.parse(await (await fetch(`${url}${path}`, { headers })).text());
  const [asked] = (await get("/v1/tasks")).tasks;
  const body = JSON.stringify({ tool: "run_code", input: { code: "'hello from a sandbox'" } });
  say("program", `POST /v1/tasks ${body}`);
  const accepted = await fetch(`${url}/v1/tasks`, { method: "POST", headers, body });
  const { links } = JSON.parse(await accepted.text());
  const { body: events } = await fetch(`${url}${links.events}`, { headers });
  const decoder = new TextDecoder();
  for await (const chunk of events ?? []) {
    for (const [, name = ""] of decoder.decode(chunk).matchAll(/^event: (.*)$/gm))
      say("errand", `event: ${name}`);
  }
  say("errand", (await get(links.self)).result.text);
  say("program", `GET ${asked.links.self}, the receipt of Ada's task`);
  for (const { at, event } of (await get(asked.links.self)).receipt) say("errand", `${at}  ${event}`);
}
