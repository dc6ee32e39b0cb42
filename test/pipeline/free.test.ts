/** Workers Free: 50 queries an invocation, and no Dynamic Workers. https://developers.cloudflare.com/d1/platform/limits/ */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { calls, ModelServer, says } from "../../fakes/model-server.ts";
import { Control } from "../support/control.ts";
import { openPipeline, type Pipeline, privateText } from "../support/pipeline.ts";

const QUERIES_MAX = 50;
/** https://developers.cloudflare.com/workers/platform/limits/#subrequests */
const SUBREQUESTS_MAX = 50;
const SERVICE_CALLS_MAX = 1_000;
const DAY_MS = 86_400_000;

const control = new Control();
const model = new ModelServer();
let pipeline: Pipeline;
beforeAll(async () => {
  const vars = { ANTHROPIC_BASE_URL: await model.listen(), ANTHROPIC_MODEL: "stand-in" };
  pipeline = await openPipeline({ control, free: true, vars });
});
afterAll(async () => {
  await pipeline.close();
  control.close();
  model.close();
});
beforeEach(() => {
  pipeline.telegram.reset();
  control.begin();
  model.answerTo = () => says("Here you are.");
});

/** The most calls to the outside, and to Cloudflare's own services, that one invocation has made. */
function countSubrequests(): { outside: number; inside: number } {
  const counts = new Map<string, { outside: number; inside: number }>();
  for (const { invocation, kind } of control.effects) {
    const { outside, inside } = counts.get(invocation) ?? { outside: 0, inside: 0 };
    const isOutside = kind === "fetch";
    const isInside = kind !== "fetch" && kind !== "step" && kind !== "ack";
    counts.set(invocation, { outside: outside + Number(isOutside), inside: inside + Number(isInside) });
  }
  const all = [...counts.values()];
  return {
    outside: Math.max(...all.map(({ outside }) => outside)),
    inside: Math.max(...all.map(({ inside }) => inside)),
  };
}

/** The invocation with the most statements: which handler it was, and how many. */
function costliest(): { entry: string; statements: number } {
  const sums = new Map<string, { entry: string; statements: number }>();
  for (const { invocation, stage, entry, kind, statements } of control.effects) {
    if (kind !== "d1") continue;
    const before = sums.get(invocation)?.statements ?? 0;
    sums.set(invocation, { entry: `${stage} ${entry}`, statements: before + statements });
  }
  return (
    [...sums.values()].toSorted((a, b) => b.statements - a.statements)[0] ?? { entry: "none", statements: 0 }
  );
}

describe("an invocation on Workers Free stays within 50 queries", () => {
  it("when thirty people write at once, and when one writes thirty messages", async () => {
    await Promise.all([
      ...Array.from({ length: 30 }, (_, index) => pipeline.hook(privateText(7_000 + index, "Hello"))),
      ...Array.from({ length: 30 }, (_, index) => pipeline.hook(privateText(7_500, `And ${index}`))),
    ]);
    await pipeline.quiet();
    expect(costliest().statements).toBeGreaterThan(5);
    expect(costliest().statements).toBeLessThanOrEqual(QUERIES_MAX);
  });

  it("when an answer has many parts, and when a task is stopped", async () => {
    model.answerTo = () => says("A long line of words that goes on and on. ".repeat(900));
    await pipeline.hook(privateText(7_600, "Tell me everything"));
    await pipeline.quiet();
    expect(pipeline.telegram.in(7_600).length).toBeGreaterThan(8);
    const { outside, inside } = countSubrequests();
    expect(outside).toBeGreaterThan(8);
    expect(outside).toBeLessThanOrEqual(SUBREQUESTS_MAX);
    expect(inside).toBeLessThanOrEqual(SERVICE_CALLS_MAX);
    model.answerTo = () => "silence";
    await pipeline.hook(privateText(7_601, "Think"));
    await pipeline.hook(privateText(7_601, "/stop"));
    await pipeline.quiet();
    expect(costliest().statements).toBeLessThanOrEqual(QUERIES_MAX);
  });

  it("when the clock sweeps, and when an hour's old tasks go", async () => {
    await pipeline.ring(new Date(Math.ceil(Date.now() / DAY_MS) * DAY_MS + 60 * DAY_MS + 17 * 60_000));
    expect(control.effects.filter(({ entry }) => entry === "clock").length).toBeGreaterThan(3);
    expect(costliest().statements).toBeLessThanOrEqual(QUERIES_MAX);
    expect(await pipeline.sql("SELECT id FROM tasks WHERE ended_at IS NOT NULL")).toEqual([]);
  });
});

it("code that a person or a model wants to run is answered with what is missing", async () => {
  await pipeline.hook(privateText(7_700, "/run 6 * 7"));
  await pipeline.quiet();
  expect(pipeline.telegram.in(7_700).at(-1)?.text).toContain("Workers Paid");
  model.answerTo = ({ body }) =>
    JSON.stringify(body.messages).includes("tool_result")
      ? says("I cannot run it here.")
      : calls("run_code", { code: "6 * 7" });
  await pipeline.hook(privateText(7_701, "What is six times seven?"));
  await pipeline.quiet();
  const told = model.requests.flatMap(({ body }) => body.messages.flatMap(({ content }) => content));
  expect(JSON.stringify(told.filter(({ type }) => type === "tool_result"))).toContain("Workers Paid");
  expect(pipeline.telegram.in(7_701).at(-1)?.text).toContain("I cannot run it here.");
});

it("scripts run in the runner itself, one conversation's beside another's, and what does not end is ended", async () => {
  await Promise.all(
    [7_800, 7_801].map((chat) =>
      pipeline.hook(privateText(chat, `/sh echo ${chat} > mine; gzip -k mine; ls -A /tmp . ; cat mine`)),
    ),
  );
  await pipeline.quiet();
  for (const chat of [7_800, 7_801])
    expect(pipeline.telegram.in(chat).at(-1)?.text).toMatch(new RegExp(`mine\nmine\\.gz\n[^]*${chat}`));
  await pipeline.hook(privateText(7_800, "/sh seq 1 30000 | while read -r n; do x=$x$n$x; done"));
  await pipeline.quiet();
  await pipeline.hook(privateText(7_800, "/sh cat mine"));
  await pipeline.quiet();
  expect(pipeline.telegram.in(7_800).at(-1)?.text).toContain("7800");
});
