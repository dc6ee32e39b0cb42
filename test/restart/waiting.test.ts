/** A task waits while the process is killed, however often: it is decided after the next start, and goes on at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { privateText, WEBHOOK_SECRET } from "../support/pipeline.ts";
import { install, type Running } from "../support/installation.ts";
import { press } from "../support/press.ts";
import { LONG } from "../support/seed.ts";
import { until } from "../support/until.ts";

const WAIT_MS_MAX = 60_000;
/** A task that nobody has woken is looked after only when its claim is over. */
const GOES_ON_MS_MAX = 30_000;
const CHAT = 8_000;
/** In the long run a minute of rounds after each. */
const KILLS = LONG ? 20 : 1;
const ROUND_MS = 60_000;

let errand: Awaited<ReturnType<typeof install>>;
let running: Running;
beforeAll(async () => {
  errand = await install();
  running = await errand.start();
});
afterAll(() => errand.remove());

const hook = (update: unknown) =>
  fetch(`${running.url}/hooks/telegram`, {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": WEBHOOK_SECRET },
    body: JSON.stringify(update),
  });

it("is asked once, decided once, and made once", async () => {
  const policy = {
    rules: [{ tool: "run_code", decision: "ask" }],
    inside_hosts: [],
    approvers: "person",
  };
  const headers = { authorization: `Bearer ${running.apiKey}` };
  await fetch(`${running.url}/v1/policy`, { method: "PUT", headers, body: JSON.stringify(policy) });
  await hook(privateText(CHAT, "/run 6 * 7"));
  const shown = () => errand.telegram.in(CHAT);
  const request = await until(
    () => shown().find(({ buttons }) => buttons.length > 0) ?? false,
    WAIT_MS_MAX,
    "the request",
  );
  for (let kill = 0; kill < KILLS; kill++) {
    running.killGroup();
    await running.exited;
    running = await errand.start();
    // Whoever looks after what is stranded has come by, and has left it alone.
    await sleep(LONG ? ROUND_MS : 0);
    expect(shown().filter(({ text }) => text.includes("May I do this?"))).toHaveLength(1);
  }
  expect(await press({ telegram: errand.telegram, hook }, CHAT, request.buttons[0] ?? "")).toBe("Approved.");
  await until(() => shown().some(({ text }) => text === "42"), GOES_ON_MS_MAX, "the answer");
  expect(shown().filter(({ text }) => text.includes("May I do this?"))).toHaveLength(1);
  // The request's own short id may hold those digits too.
  expect(shown().filter(({ text }) => text === "42")).toHaveLength(1);
});
