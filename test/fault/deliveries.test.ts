/** A queue may bring a batch twice, in another order, in pieces, too late, or to two consumers at once; and forget that it was done. */
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { EffectFault } from "../support/control.ts";
import type { Delivery } from "../support/proxy/protocol.ts";
import { chance, sample } from "../support/seed.ts";
import { prepare, prove } from "./prove.ts";
import { say } from "./say.ts";
import { STORIES } from "./stories.ts";

const DELIVERIES: readonly Delivery[] = ["twice", "reversed", "split", "stale", "interleaved"];
const STORIES_TOLD = 6;
const STORIES_SAMPLED = 1;
const CHATS = 6;

/** Of the few that the short run samples from, every story has what is looked for. */
const { runner, clean } = await prepare({}, sample(STORIES, STORIES_TOLD, chance("deliveries")));
afterAll(() => runner.close());
afterEach(() => {
  runner.control.delivery = "once";
});

describe.each(DELIVERIES)("batches brought %s", (delivery) => {
  it.each(sample(clean, STORIES_SAMPLED, chance(delivery)))("change nothing in $story.name", async (run) => {
    runner.control.delivery = delivery;
    await prove(runner, run, []);
  });

  it("answer several people, each once and in their order", async () => {
    runner.control.delivery = delivery;
    const chats = Array.from({ length: CHATS }, (_, index) => 50_000 + index);
    const told = await runner.tell({
      name: "several people",
      expects: [],
      async tell(pipeline) {
        await Promise.all(
          chats.map(async (chat) => {
            await say(pipeline, chat, `/run 'a${chat}'`);
            await say(pipeline, chat, `/run 'b${chat}'`);
          }),
        );
      },
    });
    expect(told.left).toEqual([]);
    for (const chat of chats) {
      const words = runner.pipeline.telegram
        .in(chat)
        .flatMap(({ text }) =>
          text.endsWith(" …") ? [] : (text.match(/(?<![/'])\b[ab]\d{5}\b(?!')/g) ?? []),
        );
      expect(words, `chat ${chat}`).toEqual([`a${chat}`, `b${chat}`]);
    }
  });
});

describe("an acknowledgement that is lost after the work was done", () => {
  const lost = clean.flatMap((run) =>
    run.points
      .filter(({ kind }) => kind === "ack")
      .map(
        ({ key, occurrence }) =>
          [`${run.story.name}, ${key} #${occurrence}`, run, { key, occurrence }] as const,
      ),
  );
  it.each(sample(lost, 4, chance("acknowledgements")))("changes nothing: %s", async (_, run, point) => {
    const fault: EffectFault = { ...point, moment: "before", what: { throw: "the queue is not there" } };
    const told = await prove(runner, run, [fault]);
    expect(told.met).toHaveLength(1);
  });
});
