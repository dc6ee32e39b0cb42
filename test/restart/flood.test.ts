/** A thousand tasks while the whole process group is killed every few seconds: none is lost, none is answered twice. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { privateText, WEBHOOK_SECRET } from "../support/pipeline.ts";
import { install, type Running } from "../support/installation.ts";
import { chance, LONG, repeatWith, SEED } from "../support/seed.ts";
import { until } from "../support/until.ts";

const TASKS = 1_000;
const SENDERS = 4;
const SEND_EVERY_MS = 400;
const KILL_AFTER_MS = { min: 5_000, max: 10_000 };
const ANSWERED_MS_MAX = 300_000;

describe.runIf(LONG)("a flood under kills", () => {
  let errand: Awaited<ReturnType<typeof install>>;
  beforeAll(async () => {
    errand = await install();
  });
  afterAll(() => errand.remove());

  it(`ends ${TASKS} tasks with one answer each (seed ${SEED})`, async () => {
    const chats = Array.from({ length: TASKS }, (_, index) => 20_000 + index);
    const url = `http://127.0.0.1:${errand.port}/hooks/telegram`;
    const waiting = [...chats];
    /** As Telegram: until it is taken. */
    const sendAll = async () => {
      for (let chat = waiting.shift(); chat !== undefined; chat = waiting.shift()) {
        const body = JSON.stringify(privateText(chat, `/run 'for ' + ${chat}`, 500_000 + chat));
        const headers = { "x-telegram-bot-api-secret-token": WEBHOOK_SECRET };
        const response = await fetch(url, { method: "POST", headers, body }).catch(() => undefined);
        if (response?.status !== 200) waiting.push(chat);
        await sleep(SEND_EVERY_MS);
      }
    };

    const random = chance("flood");
    let running: Running = await errand.start();
    let kills = 0;
    const sent = new AbortController();
    const killAndStart = async () => {
      while (!sent.signal.aborted) {
        await sleep(KILL_AFTER_MS.min + random() * (KILL_AFTER_MS.max - KILL_AFTER_MS.min));
        running.killGroup();
        await running.exited;
        kills++;
        running = await errand.start();
      }
    };
    const senders = Promise.all(Array.from({ length: SENDERS }, sendAll)).finally(() => sent.abort());
    await Promise.all([senders, killAndStart()]);

    const answersIn = (chat: number) => errand.telegram.in(chat).filter(({ text }) => text === `for ${chat}`);
    const unanswered = () => chats.filter((chat) => answersIn(chat).length === 0);
    await until(() => unanswered().length === 0, ANSWERED_MS_MAX, "every chat to be answered").catch(
      () => undefined,
    );
    const repeat = repeatWith("a flood under kills");
    expect(unanswered(), repeat).toEqual([]);
    expect(
      chats.filter((chat) => answersIn(chat).length > 1),
      repeat,
    ).toEqual([]);
    // Placeholders become answers, and "Done" makes the phone buzz after a long wait: neither is a stray.
    const strays = errand.telegram.messages.filter(
      ({ text }) => text.endsWith(" …") || text.startsWith("⏳"),
    ).length;
    console.log(`${kills} kills, ${strays} stray previews`);
    expect(strays, repeat).toBeLessThanOrEqual(kills);
  });
});
