/** Each secret is changed while people write: what is refused comes again, what cannot be sent waits, and everybody is answered once. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MadeKey } from "../../shared/contracts/api.ts";
import { ModelServer, says } from "../../fakes/model-server.ts";
import { privateText, WEBHOOK_SECRET } from "../support/pipeline.ts";
import { install, type Running } from "../support/installation.ts";
import { until } from "../support/until.ts";

/** Nobody waits so long: it is for slow machines, and the watch comes once a minute. */
const ANSWERED_MS_MAX = 150_000;
/** Between two messages, and between two tries of one. */
const PACE_MS = 150;

const model = new ModelServer();
/** The keys that the model takes. */
const keys = new Set(["key-one"]);
let errand: Awaited<ReturnType<typeof install>>;
let running: Running;
/** What the platform was told with setWebhook. */
let secret = WEBHOOK_SECRET;
let settings: Record<string, string> = {};

beforeAll(async () => {
  model.answerTo = ({ headers }) =>
    keys.has(String(headers.authorization).replace("Bearer ", "")) ? says("Here you are.") : { status: 401 };
  settings = {
    ANTHROPIC_BASE_URL: await model.listen(),
    ANTHROPIC_API_KEY: "key-one",
    ANTHROPIC_MODEL: "stand-in",
  };
  errand = await install();
  running = await errand.start(settings);
});
afterAll(async () => {
  await errand.remove();
  model.close();
});

/** As a deploy: with these settings beside the others. */
async function restart(changed: Record<string, string> = {}): Promise<void> {
  running.signal("SIGTERM");
  await running.exited;
  settings = { ...settings, ...changed };
  running = await errand.start(settings);
}

/** One message, sent again until it is taken, as Telegram does. */
async function send(chat: number): Promise<void> {
  const update = privateText(chat, "Hello", 200_000 + chat);
  const isTaken = async () => {
    const headers = { "x-telegram-bot-api-secret-token": secret };
    const request = { method: "POST", headers, body: JSON.stringify(update) };
    const response = await fetch(`${running.url}/hooks/telegram`, request).catch(() => null);
    if (response?.status === 200) return true;
    await sleep(PACE_MS);
    return false;
  };
  await until(isTaken, ANSWERED_MS_MAX, `the message of ${chat} to be taken`);
}

/** People write, each in a chat of their own, for as long as `work` takes. */
async function underTraffic(firstChat: number, work: () => Promise<void>): Promise<number[]> {
  const chats: number[] = [];
  const sending: Promise<void>[] = [];
  const traffic = setInterval(() => {
    const chat = firstChat + chats.length;
    chats.push(chat);
    const sent = send(chat);
    // Heard of below; where `work` fails, of that alone.
    sent.catch(() => undefined);
    sending.push(sent);
  }, PACE_MS);
  try {
    await work();
  } finally {
    clearInterval(traffic);
  }
  await Promise.all(sending);
  return chats;
}

/** What each of them was answered, as often as it was. A wrong answer is not waited for to become right. */
async function answersIn(chats: readonly number[]): Promise<string[]> {
  const texts = (chat: number) => errand.telegram.in(chat).map(({ text }) => text);
  const isAnswered = (chat: number) => texts(chat).some((text) => !text.endsWith("…"));
  await until(() => chats.every(isAnswered), ANSWERED_MS_MAX, "everybody to be answered");
  return chats.flatMap(texts);
}

const onceEach = (chats: readonly number[]) => chats.map(() => "Here you are.");

it("the webhook's secret", async () => {
  const chats = await underTraffic(1_000, async () => {
    await restart({ TELEGRAM_WEBHOOK_SECRET: "another-secret" });
    // For a while the platform knows the old one, and is refused.
    await sleep(2 * PACE_MS);
    secret = "another-secret";
  });
  expect(await answersIn(chats)).toEqual(onceEach(chats));
});

it("the bot's token: what could not be sent with the old one is sent with the new, by nobody's doing", async () => {
  const chats = await underTraffic(2_000, async () => {
    errand.telegram.token = "4839574812:BBFD39kkdpWt3ywyRZergyOLMaJhac60qcB";
    await sleep(4 * PACE_MS);
    await restart();
  });
  expect(await answersIn(chats)).toEqual(onceEach(chats));
});

it("the model's key", async () => {
  const chats = await underTraffic(3_000, async () => {
    keys.add("key-two");
    await restart({ ANTHROPIC_API_KEY: "key-two" });
    keys.delete("key-one");
  });
  expect(await answersIn(chats)).toEqual(onceEach(chats));
});

it("the key of a program", async () => {
  const submit = async (key: string, name: string) => {
    const headers = { authorization: `Bearer ${key}`, "idempotency-key": name };
    const body = JSON.stringify({ prompt: `/run '${name}'` });
    const response = await fetch(`${running.url}/v1/tasks`, { method: "POST", headers, body });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  const admin = { authorization: `Bearer ${running.apiKey}` };
  const make = async () => {
    const body = JSON.stringify({ label: "a program", scopes: ["tasks"] });
    const response = await fetch(`${running.url}/v1/keys`, { method: "POST", headers: admin, body });
    return MadeKey.parse(JSON.parse(await response.text()));
  };
  const old = await make();
  const first = await submit(old.key, "a");
  expect(first.status).toBe(202);
  const fresh = await make();
  await fetch(`${running.url}/v1/keys/${old.id}`, { method: "DELETE", headers: admin });
  expect((await submit(old.key, "b")).status).toBe(401);
  // Sent again under the new key, it is the same task.
  expect((await submit(fresh.key, "a")).body.id).toBe(first.body.id);
  expect((await submit(fresh.key, "b")).status).toBe(202);
});
