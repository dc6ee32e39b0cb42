/** The effects of every story, by name: a new one is noticed here, and is a new place to crash. */
import { afterAll, expect, it } from "vitest";
import type { Recorded } from "../support/control.ts";
import { prepare } from "./prove.ts";

const { stage, clean } = await prepare();
afterAll(() => stage.close());

/** Stages work side by side, so only what each does has an order. */
const traceOf = (points: readonly Recorded[]) =>
  points.map(({ key, occurrence }) => `${key} #${occurrence}`).toSorted();

it.each(clean)("$story.name has these effects, each time", async ({ story, points }) => {
  expect(traceOf(points)).toMatchSnapshot();
  const again = await stage.tell(story, [], false);
  expect(traceOf(again.effects)).toEqual(traceOf(points));
});
