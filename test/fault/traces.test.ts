/** The effects of every story, by name: a new one is noticed here, and is a new place to crash. */
import { afterAll, expect, it } from "vitest";
import type { Recorded } from "../support/control.ts";
import { LONG } from "../support/seed.ts";
import { prepare } from "./prove.ts";

/** Nothing is made good here, so nobody need be impatient: a slow machine must not look like a new effect. */
const PATIENT = {
  step_ms: 60_000,
  reconcile_claim_ms: 60_000,
  turn_claim_ms: 60_000,
  lease_ms: 60_000,
  platform_call_ms: 20_000,
};

const { runner, clean } = await prepare(PATIENT);
afterAll(() => runner.close());

/** Stages work side by side, so only what each does has an order. */
const traceOf = (points: readonly Recorded[]) =>
  points.map(({ key, occurrence }) => `${key} #${occurrence}`).toSorted();

it.each(clean)("$story.name has these effects, each time", async ({ story, points }) => {
  expect(traceOf(points)).toMatchSnapshot();
  // In the short run what was recorded is the other time.
  if (!LONG) return;
  const again = await runner.tell(story, [], false);
  expect(traceOf(again.effects)).toEqual(traceOf(points));
});
