/** What a task costs: deterministic, so that a hop which grows is a failing test. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";
import { until } from "../support/until.ts";
import { Control } from "../support/control.ts";
import { ModelServer } from "../../fakes/model-server.ts";

/** A slow machine must not turn an answer at once into one with a placeholder. */
const UNHURRIED = { sign_after_ms: 60_000, placeholder_after_ms: 120_000, ping_after_ms: 180_000 };
const control = new Control();
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({
    control,
    timings: UNHURRIED,
  });
  await pipeline.hook(privateText(1, "/run 'warm'"));
  await pipeline.quiet();
});
afterAll(async () => {
  await pipeline.close();
  control.close();
});
beforeEach(() => {
  pipeline.telegram.reset();
  control.begin();
});

async function costOf(chatId: number, text: string) {
  expect((await pipeline.hook(privateText(chatId, text))).status).toBe(200);
  await pipeline.quiet();
  return control.spent();
}

describe("the cost", () => {
  it("of accepting a message is one D1 round trip", async () => {
    const spent = await costOf(31, "How much?");
    expect(spent.byStage).toMatchObject({ ingress: 1 });
  });

  /**
   * Ingress stores the message (2 statements). Triage reads what is new (1) and makes a task of it (8). The executor claims the task
   * (3). The planner claims the turn (5), stores it, and ends the task (10). The notifier leases the reply (4), records its message (2),
   * and settles it (3).
   */
  it("of a one-turn task is 9 D1 round trips, four doorbells, one step and two calls", async () => {
    expect(await costOf(32, "How much?")).toEqual({
      roundTrips: 9,
      byStage: { ingress: 1, planner: 4, executor: 1, notifier: 3 },
      statements: 38,
      rowsWritten: 51,
      doorbells: 4,
      instances: 1,
      steps: 1,
      outboundCalls: 2,
    });
  });

  /** A turn with a call is claimed (5) and stored (4), its call started (5) and observed (2). */
  it("of a tool call is four D1 round trips and two steps more", async () => {
    expect(await costOf(33, "/run 6 * 7")).toEqual({
      roundTrips: 13,
      byStage: { ingress: 1, planner: 6, executor: 3, notifier: 3 },
      statements: 54,
      rowsWritten: 68,
      doorbells: 4,
      instances: 1,
      steps: 3,
      outboundCalls: 2,
    });
  });

  /** The workspace is read (3); a change of it is made (8) and kept in two files of R2. */
  it("of a script that changes a file is two D1 round trips more", async () => {
    expect(await costOf(35, "/sh echo x > a")).toMatchObject({
      roundTrips: 15,
      byStage: { ingress: 1, planner: 6, executor: 5, notifier: 3 },
      statements: 65,
      steps: 3,
      outboundCalls: 2,
    });
    expect(control.effects.filter(({ kind }) => kind === "r2")).toHaveLength(2);
  });

  it("of triaging a hundred messages is a handful of statements", async () => {
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => pipeline.hook(privateText(9_000 + index, "Hello"))),
    );
    const left = () => pipeline.sql("SELECT 1 FROM inbound WHERE state = 'new' LIMIT 1");
    await until(async () => (await left()).length === 0, 30_000, "everything to be triaged");
    const triage = control.effects.filter(
      ({ stage, kind, statements }) => stage === "planner" && kind === "d1" && statements > 8,
    );
    // Turns have their batches too; triage is the one whose statements do not grow with its messages.
    expect(Math.max(...triage.map(({ statements }) => statements))).toBeLessThanOrEqual(11);
  });
});

it("the cost of a turn of a model is a reservation more: one round trip, and what it settles", async () => {
  const watching = new Control();
  const model = new ModelServer();
  const asking = await openPipeline({
    control: watching,
    vars: { ANTHROPIC_BASE_URL: await model.listen() },
    timings: UNHURRIED,
  });
  await asking.hook(privateText(1, "/run 'warm'"));
  await asking.quiet();
  watching.begin();
  await asking.hook(privateText(34, "How much?"));
  await asking.quiet();
  expect(watching.spent()).toEqual({
    roundTrips: 10,
    byStage: { ingress: 1, planner: 5, executor: 1, notifier: 3 },
    statements: 47,
    rowsWritten: 64,
    doorbells: 4,
    instances: 1,
    steps: 1,
    outboundCalls: 3,
  });
  await asking.close();
  watching.close();
  model.close();
});
