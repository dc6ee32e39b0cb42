/** The runtime's own process group is killed at a named effect, among tasks at other hops, and started again on the same state. */
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Control, type EffectFault } from "../support/control.ts";
import { privateText, WEBHOOK_SECRET } from "../support/pipeline.ts";
import { install, type Running } from "../support/installation.ts";
import { chance, draw, LONG, repeatWith, SEED } from "../support/seed.ts";
import { TaskPage } from "../../shared/contracts/api.ts";
import { until } from "../support/until.ts";
import { workbench } from "../support/worker-configs.ts";

const KILLS = LONG ? 100 : 3;
const CHATS = 4;
/** For the day when they never come. */
const KILLED_MS_MAX = 60_000;
const ANSWERED_MS_MAX = 120_000;
const NAMED_SHARE_MIN = LONG ? 0.8 : 0.6;
/** Sweeps that found a task which nobody was at work on. */
const SWEEPS_MAX = 2;

/** Only what was left by the dead is rung again, however slow the machine is. */
const PATIENT = { ERRAND_TIMINGS: JSON.stringify({ doorbell_grace_ms: 120_000 }) };

const control = new Control();
let folder: string;
let errand: Awaited<ReturnType<typeof install>>;
beforeAll(async () => {
  folder = await workbench(await control.listen());
  errand = await install(folder);
});
afterAll(async () => {
  await errand.remove();
  control.close();
  await rm(folder, { recursive: true, force: true });
});

const answersIn = (chat: number) => errand.telegram.in(chat).filter(({ text }) => text === `for ${chat}`);

/** Sends to these chats, and returns those where it was not taken: Telegram would send it again. */
async function send(running: Running, chats: readonly number[]): Promise<number[]> {
  const taken = await Promise.all(
    chats.map(async (chat) => {
      const update = privateText(chat, `/run 'for ' + ${chat}`, 100_000 + chat);
      const response = await fetch(`${running.url}/hooks/telegram`, {
        method: "POST",
        headers: { "x-telegram-bot-api-secret-token": WEBHOOK_SECRET },
        body: JSON.stringify(update),
      }).catch(() => undefined);
      return response?.status === 200 ? [] : [chat];
    }),
  );
  return taken.flat();
}

const answered = (chats: readonly number[]) =>
  until(
    () => chats.every((chat) => answersIn(chat).length > 0),
    ANSWERED_MS_MAX,
    `answers in ${chats.join()}`,
  );

/** The effects of a task with a tool call: where it may be killed. */
async function pointsOf(running: Running): Promise<string[]> {
  control.begin();
  expect(await send(running, [90_000])).toEqual([]);
  await answered([90_000]);
  return [...new Set(control.effects.filter(({ entry }) => entry !== "clock").map(({ key }) => key))];
}

const sweeps = () => control.effects.filter(({ key }) => key === "ingress clock: queue TASKS").length;

it(`is killed ${KILLS} times (seed ${SEED}), and every task ends with one answer`, async () => {
  const random = chance("kills");
  let running = await errand.start(PATIENT);
  const points = await pointsOf(running);
  let strays = 0;
  let named = 0;
  for (let i = 0; i < KILLS; i++) {
    const killed = running;
    const fault: EffectFault = {
      key: draw(points, random),
      occurrence: 1,
      moment: random() < 0.5 ? "before" : "after",
      what: { kill: () => killed.killGroup() },
    };
    const where = `kill ${i}: ${fault.moment} ${fault.key}; ${repeatWith("is killed")}`;
    const chats = Array.from({ length: CHATS }, (_, index) => 10_000 + i * CHATS + index);
    control.begin([fault]);
    const again = await send(running, chats);
    const isAnswered = () => chats.every((chat) => again.includes(chat) || answersIn(chat).length > 0);
    await until(() => control.met.length > 0 || isAnswered(), KILLED_MS_MAX, where);
    // An effect that only a slow task has, such as its sign of life: then it is killed when all is done.
    if (control.met.length === 0) killed.killGroup();
    else named++;
    await running.exited;
    control.begin();
    running = await errand.start(PATIENT);
    expect(await send(running, again), where).toEqual([]);
    await answered(chats);
    expect(sweeps(), where).toBeLessThanOrEqual(SWEEPS_MAX);
    for (const chat of chats) {
      expect(answersIn(chat), where).toHaveLength(1);
      strays += errand.telegram.in(chat).length - 1;
    }
    // A creation that nobody heard of: one a kill, since creations are made one at a time.
    expect(strays, where).toBeLessThanOrEqual(i + 1);
  }
  expect(named).toBeGreaterThanOrEqual(KILLS * NAMED_SHARE_MIN);
  const response = await fetch(`${running.url}/v1/tasks`, {
    headers: { authorization: `Bearer ${running.apiKey}` },
  });
  const { tasks } = TaskPage.parse(await response.json());
  expect(new Set(tasks.map(({ status }) => status))).toEqual(new Set(["succeeded"]));
});
