/** The whole process group is killed while tasks are at different hops, and started again on the same state. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { privateText, WEBHOOK_SECRET } from "../support/house.ts";
import { install } from "../support/installation.ts";
import { until } from "../support/until.ts";

const TASKS = 20;
const ENDED_MS_MAX = 60_000;

let errand: Awaited<ReturnType<typeof install>>;
beforeAll(async () => {
  errand = await install();
});
afterAll(() => errand.remove());

it("ends all of them, each with one answer", async () => {
  const first = await errand.start();
  const chats = Array.from({ length: TASKS }, (_, index) => 5_000 + index);
  const hook = (chat: number) =>
    fetch(`${first.url}/hooks/telegram`, {
      method: "POST",
      headers: { "x-telegram-bot-api-secret-token": WEBHOOK_SECRET },
      body: JSON.stringify(
        privateText(chat, `/run await new Promise((r) => setTimeout(r, 20)); return 'for ' + ${chat}`),
      ),
    });
  // Spread out, so that the kill meets them at every hop.
  for (const chat of chats) {
    expect((await hook(chat)).status).toBe(200);
    await sleep(15);
  }
  first.killGroup();
  await first.exited;

  await errand.start();
  const answers = (chat: number) => errand.telegram.in(chat).filter(({ text }) => text === `for ${chat}`);
  await until(
    () => chats.every((chat) => answers(chat).length > 0),
    ENDED_MS_MAX,
    "every chat to be answered",
  );
  // Whatever could still be sent twice would be by now.
  await sleep(5_000);
  for (const chat of chats) expect(answers(chat), `chat ${chat}`).toHaveLength(1);
  const strays = errand.telegram.messages.filter(
    ({ text }) => !text.startsWith("for ") || text.endsWith("…"),
  );
  expect(strays.length).toBeLessThanOrEqual(1);
});
