/** People write while it starts: what the Workers print must not keep this machine's process and its runtime waiting for each other. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { install } from "../support/installation.ts";
import { privateText, WEBHOOK_SECRET } from "../support/pipeline.ts";

const SENDERS = 60;
const PACE_MS = 20;

it("starts while people write, and prints a lot", async () => {
  const errand = await install();
  const url = `http://127.0.0.1:${errand.port}/hooks/telegram`;
  let chat = 1_000;
  let accepted = 0;
  const over = new AbortController();
  const write = async () => {
    while (!over.signal.aborted) {
      const headers = { "x-telegram-bot-api-secret-token": WEBHOOK_SECRET };
      const body = JSON.stringify(privateText(chat, "/start", 200_000 + chat++));
      const response = await fetch(url, { method: "POST", headers, body }).catch(() => null);
      await response?.text();
      if (response?.status === 200) accepted++;
      await sleep(PACE_MS);
    }
  };
  const writing = Array.from({ length: SENDERS }, write);
  try {
    await errand.start();
    expect(accepted).toBeGreaterThan(0);
  } finally {
    over.abort();
    await Promise.all(writing);
    await errand.remove();
  }
});
