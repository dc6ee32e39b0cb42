/** Every effect may be the last: the invocation that has it crashes before it, or after it; and so may whoever makes that good. */
import { afterAll, describe, expect, it } from "vitest";
import type { EffectFault } from "../support/control.ts";
import { chance, draw, LONG, sample } from "../support/seed.ts";
import { STORIES } from "./stories.ts";
import { type Clean, nameOf, prepare, prove } from "./prove.ts";

/** The long suite takes all stories, and all faults of each. */
const SAMPLED = 1;
const STORIES_TOLD = LONG ? Infinity : 16;
const MOMENTS = ["before", "after"] as const;

const PAIRS = LONG ? 300 : 5;

/** What only happens when something went wrong before. */
const RECOVERY: readonly (readonly [key: string, occurrence: number])[] = [
  ["ingress clock: d1 UPDATE outbox", 1],
  ["ingress clock: d1 UPDATE outbox", 2],
  ["ingress clock: queue TASKS", 1],
  ["ingress clock: queue INBOUND", 1],
  ["ingress clock: queue REPLIES", 1],
  ["executor errand-tasks: workflow create", 2],
  ["executor errand-tasks: workflow restart", 1],
  ["executor errand-tasks: workflow pause", 1],
  ["executor errand-tasks: workflow resume", 1],
  ["notifier errand-replies: d1 INSERT deliveries", 1],
];

const { runner, clean } = await prepare({}, sample(STORIES, STORIES_TOLD, chance("stories")));
afterAll(() => runner.close());

describe.each(clean)("a crash during $story.name", (run) => {
  const faults = run.points.flatMap(({ key, occurrence, done }) =>
    (done ? MOMENTS : (["before"] as const)).map((moment): EffectFault => ({
      key,
      occurrence,
      moment,
      what: "crash",
    })),
  );
  it.each(sample(faults, SAMPLED, chance(run.story.name)).map((fault) => [nameOf(fault), fault] as const))(
    "%s",
    async (_, fault) => {
      const told = await prove(runner, run, [fault]);
      expect(told.met).toHaveLength(1);
    },
  );
});

/** Half of the second faults hit the repetition of something, or its repair. */
function drawPair({ points }: Clean, random: () => number): EffectFault[] {
  const moment = (isDone = true) => (isDone && random() < 0.5 ? "after" : "before");
  const first = draw(points, random);
  const again = random() < 0.5;
  const other = draw(points, random);
  const [key, occurrence] =
    again && random() < 0.5
      ? draw(RECOVERY, random)
      : ([other.key, again ? other.occurrence + 1 : other.occurrence] as const);
  return [
    { key: first.key, occurrence: first.occurrence, moment: moment(first.done), what: "crash" },
    { key, occurrence, moment: moment(), what: "crash" },
  ];
}

describe("two crashes", () => {
  const pairs = Array.from({ length: PAIRS }, (_, index) => {
    const random = chance(`pair ${index}`);
    const run = draw(clean, random);
    const faults = drawPair(run, random);
    return [`#${index}: ${run.story.name}, ${faults.map(nameOf).join(" and ")}`, run, faults] as const;
  });
  it.each(pairs)("%s", async (_, run, faults) => {
    const told = await prove(runner, run, faults);
    expect(told.met.length, "faults met").toBeGreaterThanOrEqual(1);
  });
});
