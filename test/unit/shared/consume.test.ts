/** A batch of a queue: what becomes of each of its messages. */
import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import { consume, type ReconcileAgain } from "../../../shared/queue/consume.ts";
import { openDatabase } from "../database.ts";

let db: D1Database;
beforeAll(async () => {
  db = await openDatabase();
});

async function consumed(keys: readonly string[], reconcile: (keys: readonly string[]) => ReconcileAgain) {
  const messages = keys.map((key) => ({
    id: key,
    timestamp: new Date(),
    attempts: 1,
    body: { queue: "tasks", key },
  }));
  const batch = createMessageBatch("errand-tasks", messages);
  const consumer = { stage: "executor" as const, db, bells: {} };
  await consume(batch, { ...consumer, reconcile: (some) => Promise.resolve(some).then(reconcile) });
  const { explicitAcks, retryMessages } = await getQueueResult(batch, createExecutionContext());
  return { acknowledged: explicitAcks, retried: retryMessages.map(({ msgId }) => msgId) };
}

it("a message that throws is retried alone; its neighbours are acknowledged", async () => {
  const result = await consumed(["good", "bad", "fine"], (keys) => {
    if (keys.includes("bad")) throw new Error("poison");
    return new Map();
  });
  expect(result).toEqual({ acknowledged: ["good", "fine"], retried: ["bad"] });
});

it("what wants to be reconciled again is retried; the rest is acknowledged", async () => {
  expect(await consumed(["later", "done"], () => new Map([["later", 1_000]]))).toEqual({
    acknowledged: ["done"],
    retried: ["later"],
  });
});
