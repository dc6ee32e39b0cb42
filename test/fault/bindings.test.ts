/** What a binding may say instead of doing its work, or after it: the invocation lives, and must make the best of it. */
import { afterAll, describe, expect, it } from "vitest";
import type { EffectFault, Recorded } from "../support/control.ts";
import { chance, sample } from "../support/seed.ts";
import { nameOf, prepare, prove } from "./prove.ts";
import type { Story } from "./say.ts";
import { STORIES } from "./stories.ts";

const STORIES_TOLD = 3;
const SAMPLED = 2;

/** A binding, and how it fails, as the platform's documentation and its users report it. A new binding is a line here. */
const FAILURES: readonly {
  name: string;
  at: (point: Recorded) => boolean;
  moment: "before" | "after";
  words: string;
}[] = [
  { name: "D1 is busy", at: isD1, moment: "before", words: "D1_ERROR: database is locked: SQLITE_BUSY" },
  {
    name: "D1's answer is lost after the commit",
    at: isD1,
    moment: "after",
    words: "D1_ERROR: Network connection lost.",
  },
  {
    name: "a queue refuses",
    at: ({ kind }) => kind === "queue",
    moment: "before",
    words: "Queue send failed: Too Many Requests",
  },
  {
    name: "a Workflow cannot be made",
    at: isCreate,
    moment: "before",
    words: "workflows.api.error.internal_server",
  },
  {
    name: "a Workflow was made, but nobody heard",
    at: isCreate,
    moment: "after",
    words: "Network connection lost.",
  },
  {
    name: "the model's answer is lost",
    at: ({ kind, name }) => kind === "fetch" && name === "messages",
    moment: "after",
    words: "Network connection lost.",
  },
  {
    name: "R2 is down",
    at: ({ kind }) => kind === "r2",
    moment: "before",
    words: "We encountered an internal error. Please try again. (10001)",
  },
  {
    name: "R2's answer is lost",
    at: ({ kind }) => kind === "r2",
    moment: "after",
    words: "Network connection lost.",
  },
  {
    name: "a Worker cannot be reached",
    at: ({ kind }) => kind === "rpc",
    moment: "before",
    words: "Network connection lost.",
  },
  {
    name: "a Worker's answer is lost",
    at: ({ kind }) => kind === "rpc",
    moment: "after",
    words: "Network connection lost.",
  },
];

function isD1({ kind }: Recorded): boolean {
  return kind === "d1";
}

function isCreate({ kind, name }: Recorded): boolean {
  return kind === "workflow" && name === "create";
}

/** Few use every binding: those with files are told in the short run, too. */
const hasFiles = ({ name }: Story) => name.includes("file") || name.includes("photo");
const others = sample(
  STORIES.filter((story) => !hasFiles(story)),
  STORIES_TOLD,
  chance("bindings"),
);
const { runner, clean } = await prepare({}, [...others, ...STORIES.filter(hasFiles)]);
afterAll(() => runner.close());

describe.each(FAILURES)("when $name", ({ name, at, moment, words }) => {
  const points = clean.flatMap((run) =>
    run.points
      .filter((point) => at(point) && (point.done || moment === "before"))
      .map((point) => ({ run, point })),
  );
  const cases = points.map(({ run, point: { key, occurrence } }) => {
    const fault: EffectFault = { key, occurrence, moment, what: { throw: words } };
    return [`${run.story.name}, ${nameOf(fault)}`, run, fault] as const;
  });
  it.each(sample(cases, SAMPLED, chance(name)))("the end is the same: %s", async (_, run, fault) => {
    const told = await prove(runner, run, [fault]);
    expect(told.met).toHaveLength(1);
  });
});

describe("an instance that exists", () => {
  const withTasks = clean.filter(({ points }) => points.some(isCreate));
  it.each(sample(withTasks, 2, chance("stranded")))(
    "but does not get on is revived: $story.name",
    async (run) => {
      const fault: EffectFault = {
        key: "executor run: step plan 1",
        occurrence: 1,
        moment: "before",
        what: "stall",
      };
      const told = await prove(runner, run, [fault]);
      expect(told.met).toHaveLength(1);
    },
  );
});
