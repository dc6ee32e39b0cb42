/** What must be so after every story, whatever befell it. */
import { expect } from "vitest";
import type { EffectFault, Recorded } from "../support/control.ts";
import { repeatWith } from "../support/seed.ts";
import type { Timings } from "../../shared/limits.ts";
import { openStoryRunner, type StoryRunner, type Told } from "../support/story-runner.ts";
import type { Story } from "./say.ts";
import { STORIES } from "./stories.ts";

export interface Clean {
  story: Story;
  told: Told;
  points: Recorded[];
}

/** A pipeline, and each of these stories as it goes when nothing goes wrong. */
export async function prepare(
  timings: Partial<Timings> = {},
  stories: readonly Story[] = STORIES,
): Promise<{ runner: StoryRunner; clean: Clean[] }> {
  const runner = await openStoryRunner(timings);
  // The first isolate takes long to start.
  for (const story of stories.slice(0, 2)) await runner.tell(story);
  const clean: Clean[] = [];
  for (const story of stories) {
    const told = await runner.tell(story, [], false);
    expect(told.left, story.name).toEqual([]);
    expect(told.answers, story.name).toEqual(story.expects);
    clean.push({ story, told, points: told.effects.toSorted(byName) });
  }
  return { runner, clean };
}

/** Stages work side by side, so the order in which effects arrive is another each time: a seed must not depend on it. */
function byName(a: Recorded, b: Recorded): number {
  return a.key === b.key ? a.occurrence - b.occurrence : a.key < b.key ? -1 : 1;
}

/** Tells the story under these faults, and compares the end with the clean run's. */
export async function prove(
  runner: StoryRunner,
  { story, told: clean }: Clean,
  faults: readonly EffectFault[],
): Promise<Told> {
  const repeat = repeatWith(expect.getState().currentTestName ?? "");
  const told = await runner.tell(story, faults).catch((error: unknown) => {
    throw new Error(`${repeat}: ${String(error)}`, { cause: error });
  });
  expect(told.left, repeat).toEqual([]);
  if (story.orElse !== undefined && told.answers.length !== clean.answers.length) {
    expect(told.answers, repeat).toEqual(story.orElse);
  } else {
    // Of two tasks the later may be answered first, when the platform is asked again for the earlier.
    expect(told.answers.toSorted(), repeat).toEqual(clean.answers.toSorted());
    expect(told.state, repeat).toEqual(clean.state);
  }
  // A message whose creation nobody heard of stays behind as a preview.
  expect(told.strays.length, repeat).toBeLessThanOrEqual(faults.length);
  return told;
}

export function nameOf({ key, occurrence, moment }: EffectFault): string {
  return `${moment} ${key} #${occurrence}`;
}
