/** What a task costs: deterministic, so that a hop which grows is a failing test. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type House, openHouse, privateText } from "../support/house.ts";
import { until } from "../support/until.ts";
import { Control } from "../support/control.ts";

const control = new Control();
let house: House;
beforeAll(async () => {
  house = await openHouse({
    control,
    // A slow machine must not turn an answer at once into one with a placeholder.
    timings: { sign_after_ms: 60_000, placeholder_after_ms: 120_000, ping_after_ms: 180_000 },
  });
  await house.hook(privateText(1, "/run 'warm'"));
  await house.quiet();
});
afterAll(async () => {
  await house.close();
  control.close();
});
beforeEach(() => {
  house.telegram.reset();
  control.begin();
});

async function costOf(chatId: number, text: string) {
  expect((await house.hook(privateText(chatId, text))).status).toBe(200);
  await house.quiet();
  return control.spent();
}

describe("the cost", () => {
  it("of accepting a message is one D1 round trip", async () => {
    const spent = await costOf(31, "How much?");
    expect(spent.byStage).toMatchObject({ ingress: 1 });
  });

  it("of a one-turn task is 10 D1 round trips, four doorbells and two calls", async () => {
    expect(await costOf(32, "How much?")).toEqual({
      roundTrips: 10,
      byStage: { ingress: 1, planner: 4, executor: 2, notifier: 3 },
      statements: 54,
      rowsWritten: 62,
      doorbells: 4,
      instances: 1,
      outboundCalls: 2,
    });
  });

  it("of a task with one tool call is 14 D1 round trips, four doorbells and two calls", async () => {
    expect(await costOf(33, "/run 6 * 7")).toEqual({
      roundTrips: 14,
      byStage: { ingress: 1, planner: 6, executor: 4, notifier: 3 },
      statements: 75,
      rowsWritten: 85,
      doorbells: 4,
      instances: 1,
      outboundCalls: 2,
    });
  });

  it("of triaging a hundred messages is a handful of statements", async () => {
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => house.hook(privateText(9_000 + index, "Hello"))),
    );
    const left = () => house.sql("SELECT 1 FROM inbound WHERE state = 'new' LIMIT 1");
    await until(async () => (await left()).length === 0, 30_000, "everything to be triaged");
    const triage = control.effects.filter(
      ({ stage, kind, statements }) => stage === "planner" && kind === "d1" && statements > 8,
    );
    // Turns have their batches too; triage is the one whose statements do not grow with its messages.
    expect(Math.max(...triage.map(({ statements }) => statements))).toBeLessThanOrEqual(12);
  });
});
