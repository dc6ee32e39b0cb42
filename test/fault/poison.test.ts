/** One message in a hundred is poison: it is put aside with its reason and its bytes, and costs nobody else a moment. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { API_KEY, type House, openHouse, privateText } from "../support/house.ts";
import { LONG } from "../support/seed.ts";

const MESSAGES = LONG ? 2_000 : 200;
const POISON_EVERY = 100;
const AT_ONCE = 50;
const CLEARED_MS_MAX = 60_000;

let house: House;
let state: string;
beforeAll(async () => {
  house = await openHouse();
  state = await mkdtemp(join(tmpdir(), "errand-poison-"));
  const local = { url: house.url.origin, apiKey: API_KEY };
  await writeFile(join(state, "local.json"), JSON.stringify(local));
});
afterAll(async () => {
  await house.close();
  await rm(state, { recursive: true, force: true });
});

/** A person runs the desk. */
const desk = (...args: string[]) =>
  promisify(execFile)(process.execPath, ["scripts/dead-letters.ts", "--state", state, ...args]);

/** A message that no reader of today understands. */
const unreadable = (index: number) =>
  JSON.stringify({ update_id: index, message: { text: `poison ${index}` } });

it(
  `parks exactly the poison among ${MESSAGES} messages, and brings it back after the fix`,
  async () => {
    const chats = Array.from({ length: MESSAGES }, (_, index) => 1_000_000 + index);
    const isPoison = (chat: number) => chat % POISON_EVERY === 7;
    const poison = chats.filter(isPoison);
    for (let from = 0; from < chats.length; from += AT_ONCE) {
      const sent = chats.slice(from, from + AT_ONCE);
      const answers = await Promise.all(
        sent.map((chat) => house.hook(isPoison(chat) ? unreadable(chat) : privateText(chat, "/help"))),
      );
      expect(answers.map(({ status }) => status)).toEqual(sent.map(() => 200));
    }
    // Nobody rings the clock here: whoever is answered was answered by the first doorbell, and waited for no sweep.
    await house.quiet();
    const [{ late } = { late: -1 }] = await house.sql<{ late: number }>(
      "SELECT MAX(rings) AS late FROM outbox",
    );
    expect(late).toBe(0);
    for (const chat of chats)
      expect(house.telegram.in(chat).length, `chat ${chat}`).toBe(isPoison(chat) ? 0 : 1);

    const parked = await house.sql<{ reason: string; raw: string }>(
      "SELECT o.parked_reason AS reason, i.raw FROM outbox o JOIN inbound i ON i.id = o.key WHERE o.parked_reason IS NOT NULL",
    );
    expect(parked.map(({ raw }) => raw).toSorted()).toEqual(poison.map(unreadable).toSorted());
    for (const { reason } of parked) expect(reason).toContain("message.chat");
    expect((await desk("list")).stdout).toContain("message.chat");

    // The fix, as if a later reader understood them.
    for (const chat of poison) {
      const raw = JSON.stringify(privateText(chat, "/help"));
      await house.sql("UPDATE inbound SET raw = ? WHERE raw = ?", raw, unreadable(chat));
    }
    expect((await desk("replay", "all")).stdout).toContain(`${poison.length} done, 0 refused`);
    await house.quiet();
    for (const chat of chats) expect(house.telegram.in(chat).length, `chat ${chat}`).toBe(1);
    expect((await desk("list")).stdout).toBe("No dead letters.\n");
  },
  CLEARED_MS_MAX * (LONG ? 10 : 1),
);
