/** The column nobody publishes: what is lost, answered twice or stuck when the whole process group is killed again and again. */
import { setTimeout as sleep } from "node:timers/promises";
import { privateText, WEBHOOK_SECRET } from "../test/support/pipeline.ts";
import { install } from "../test/support/installation.ts";
import { until } from "../test/support/until.ts";

const KILLS = 10;
const IN_FLIGHT = 50;
const ACKNOWLEDGED_SHARE_MIN = 0.9;
const ANSWERED_MS_MAX = 60_000;
/** From the acknowledgement of the fiftieth: each time a little later, so that they are met at other hops. */
const KILLED_AFTER_MS_MAX = 1_000;

export interface Kills {
  kills: number;
  acknowledged: number;
  lostPer1000: number;
  twicePer1000: number;
  stuckPer1000: number;
  strayPreviews: number;
}

export async function measureKills(): Promise<Kills> {
  const errand = await install();
  const acknowledged: number[] = [];
  try {
    let running = await errand.start();
    for (let kill = 0; kill < KILLS; kill++) {
      const chats = Array.from({ length: IN_FLIGHT }, (_, index) => 30_000 + kill * IN_FLIGHT + index);
      const { url } = running;
      await Promise.all(
        chats.map(async (chat) => {
          if (await taken(url, chat)) acknowledged.push(chat);
        }),
      );
      if (acknowledged.length < (kill + 1) * IN_FLIGHT * ACKNOWLEDGED_SHARE_MIN)
        throw new Error(
          `only ${acknowledged.length} were acknowledged by kill ${kill}: nothing is under way`,
        );
      await sleep((KILLED_AFTER_MS_MAX * kill) / KILLS);
      running.killGroup();
      await running.exited;
      running = await errand.start();
    }
    const answers = (chat: number) =>
      errand.telegram.in(chat).filter(({ text }) => text === `for ${chat}`).length;
    const all = () => acknowledged.every((chat) => answers(chat) > 0);
    await until(all, ANSWERED_MS_MAX, "every answer").catch(() => undefined);
    const stuck = await stuckIn(running.url, running.apiKey);
    const per1000 = (count: number) => (count * 1_000) / acknowledged.length;
    return {
      kills: KILLS,
      acknowledged: acknowledged.length,
      lostPer1000: per1000(acknowledged.filter((chat) => answers(chat) === 0).length),
      twicePer1000: per1000(acknowledged.filter((chat) => answers(chat) > 1).length),
      stuckPer1000: per1000(stuck),
      strayPreviews: errand.telegram.messages.filter(({ text }) => text.endsWith(" …")).length,
    };
  } finally {
    await errand.remove();
  }
}

async function taken(url: string, chat: number): Promise<boolean> {
  const response = await fetch(`${url}/hooks/telegram`, {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": WEBHOOK_SECRET },
    body: JSON.stringify(privateText(chat, `/run 'for ' + ${chat}`)),
  }).catch(() => undefined);
  return response?.status === 200;
}

/** Tasks that have not ended when everybody else has. */
async function stuckIn(url: string, apiKey: string): Promise<number> {
  let stuck = 0;
  for (const status of ["queued", "running", "waiting"]) {
    const response = await fetch(`${url}/v1/tasks?status=${status}`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    const { tasks } = (await response.json()) as { tasks: unknown[] };
    stuck += tasks.length;
  }
  return stuck;
}
