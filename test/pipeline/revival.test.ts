/** A task that comes no further is not revived for ever: it fails in words, and what waits behind it has its turn. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";
import { until } from "../support/until.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  const mains = { executor: "test/support/entries/broken-executor.ts" };
  const timings = { reconcile_claim_ms: 200, doorbell_grace_ms: 200 };
  pipeline = await openPipeline({ mains, timings });
});
afterAll(() => pipeline.close());

it("is told, and put aside for somebody to look at", async () => {
  await pipeline.hook(privateText(81, "first"));
  await pipeline.hook(privateText(81, "second"));
  const failed = () =>
    pipeline.sql<{ id: string }>("SELECT id FROM tasks WHERE state = 'failed' ORDER BY seq");
  await until(
    async () => {
      await pipeline.ring();
      return (await failed()).length === 2;
    },
    60_000,
    "both to fail",
  );
  await pipeline.quiet();
  const shown = pipeline.telegram.in(81).map(({ text }) => text);
  expect(shown).toHaveLength(2);
  for (const text of shown) expect(text).toContain("I came no further with this");
  const [first] = await failed();
  const { body } = await pipeline.api("GET", `/tasks/${first?.id}`);
  expect(body.receipt.filter(({ event }) => event === "revived").map(({ data }) => data)).toEqual(
    [1, 2, 3].map((nth) => ({ nth, status: expect.any(String) })),
  );
  const { body: desk } = await pipeline.api<{ dead_letters: { reason: string }[] }>("GET", "/dead-letters");
  expect(desk.dead_letters.map(({ reason }) => reason)).toEqual(
    [1, 2].map(() => "revived 3 times without a step forward"),
  );
});
