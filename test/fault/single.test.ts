/** Every effect may be the last: the invocation that has it crashes before it, or after it. */
import { afterAll, describe, expect, it } from "vitest";
import type { EffectFault } from "../support/control.ts";
import { chance, sample } from "../support/seed.ts";
import { nameOf, prepare, prove } from "./prove.ts";

const SAMPLED = 3;
const MOMENTS = ["before", "after"] as const;

const { stage, clean } = await prepare();
afterAll(() => stage.close());

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
      const told = await prove(stage, run, [fault]);
      expect(told.met).toHaveLength(1);
    },
  );
});
