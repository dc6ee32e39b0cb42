/** One message in a hundred is poison: it is put aside with its reason and its bytes, and costs nobody else a moment. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { API_KEY, type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";
import { LONG } from "../support/seed.ts";

const MESSAGES = LONG ? 2_000 : 200;
const POISON_EVERY = 100;
const AT_ONCE = 50;
const CLEARED_MS_MAX = 240_000;

let pipeline: Pipeline;
let state: string;
beforeAll(async () => {
  pipeline = await openPipeline();
  state = await mkdtemp(join(tmpdir(), "errand-poison-"));
  const local = { url: pipeline.url, apiKey: API_KEY };
  await writeFile(join(state, "local.json"), JSON.stringify(local));
});
afterAll(async () => {
  await pipeline.close();
  await rm(state, { recursive: true, force: true });
});

/** A person runs the desk. */
const desk = (...args: string[]) =>
  promisify(execFile)(process.execPath, ["scripts/dead-letters.ts", "--state", state, ...args]);

/** A good message whose stored event nobody can read: as if an earlier version had written it. */
const SPOILT = "/help spoilt";
const SPOIL = `CREATE TRIGGER spoil AFTER INSERT ON inbound WHEN NEW.raw LIKE '%${SPOILT}%'
  BEGIN UPDATE inbound SET event = '{"channel":"telegram"}' WHERE id = NEW.id; END`;
/** Whoever was answered by a sweep had to wait for it. */
const WATCH = `CREATE TRIGGER watch AFTER UPDATE OF rings ON outbox WHEN NEW.rings > OLD.rings
  BEGIN INSERT INTO rung VALUES (NEW.key); END`;

/** A message that no reader of today understands. */
const unreadable = (index: number) =>
  JSON.stringify({ update_id: index, message: { text: `poison ${index}` } });

it(
  `parks exactly the poison among ${MESSAGES} messages, and brings it back after the fix`,
  async () => {
    const chats = Array.from({ length: MESSAGES }, (_, index) => 1_000_000 + index);
    const isPoison = (chat: number) => chat % POISON_EVERY === 7;
    const isSpoilt = (chat: number) => chat % POISON_EVERY === 57;
    const poison = chats.filter(isPoison);
    const spoilt = chats.filter(isSpoilt);
    await pipeline.sql("CREATE TABLE rung (key TEXT)");
    await pipeline.sql(WATCH);
    await pipeline.sql(SPOIL);
    for (let from = 0; from < chats.length; from += AT_ONCE) {
      const sent = chats.slice(from, from + AT_ONCE);
      const answers = await Promise.all(
        sent.map((chat) =>
          pipeline.hook(
            isPoison(chat) ? unreadable(chat) : privateText(chat, isSpoilt(chat) ? SPOILT : "/help"),
          ),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(sent.map(() => 200));
      // Nobody sends faster than answers come, or a doorbell would wait for its turn and not for the poison.
      await pipeline.quiet();
      await pipeline.ring();
    }
    await pipeline.quiet();
    expect(await pipeline.sql("SELECT key FROM rung")).toEqual([]);
    for (const chat of chats)
      expect(pipeline.telegram.in(chat).length, `chat ${chat}`).toBe(
        isPoison(chat) || isSpoilt(chat) ? 0 : 1,
      );

    const parked = await pipeline.sql<{ reason: string; raw: string }>(
      "SELECT o.parked_reason AS reason, i.raw FROM outbox o JOIN inbound i ON i.id = o.key WHERE o.parked_reason IS NOT NULL",
    );
    const [unread, broken] = [/message\.chat/, /not of the inbound contract/].map((words) =>
      parked.filter(({ reason }) => words.test(reason)).map(({ raw }) => raw),
    );
    expect(unread?.toSorted()).toEqual(poison.map(unreadable).toSorted());
    expect(broken).toHaveLength(spoilt.length);
    expect(parked).toHaveLength(poison.length + spoilt.length);
    expect((await desk("list")).stdout).toContain("message.chat");

    // The fix, as if a later reader understood them.
    await pipeline.sql("DROP TRIGGER spoil");
    for (const chat of poison) {
      const raw = JSON.stringify(privateText(chat, "/help"));
      await pipeline.sql("UPDATE inbound SET raw = ? WHERE raw = ?", raw, unreadable(chat));
    }
    expect((await desk("replay", "all")).stdout).toContain(`${parked.length} done, 0 refused`);
    await pipeline.quiet();
    for (const chat of chats) expect(pipeline.telegram.in(chat).length, `chat ${chat}`).toBe(1);
    expect((await desk("list")).stdout).toBe("No dead letters.\n");
  },
  CLEARED_MS_MAX * (LONG ? 10 : 1),
);
