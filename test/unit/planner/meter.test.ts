/** What a model call may cost, and what it did. */
import { expect, it } from "vitest";
import { estimateTokensIn, Meter } from "../../../workers/planner/turn/meter.ts";
import type { PromptMessage } from "../../../workers/planner/models/model.ts";

const PRICE = { input: 2, output: 10 };

const estimate = (...parts: PromptMessage["parts"]) =>
  estimateTokensIn({ system: "", tools: [], messages: [{ role: "user", parts } as PromptMessage] });

it("estimates rather too much than too little", () => {
  // As Anthropic counts them: about 1,000 and 1,300.
  expect(estimate({ type: "text", text: "Four letters a token. ".repeat(200) })).toBeGreaterThan(1_000);
  expect(estimate({ type: "text", text: "請把這份文件翻譯成英文。".repeat(100) })).toBeGreaterThanOrEqual(
    1_200,
  );
  const image = { type: "image", mime: "image/png", content: new Uint8Array(10) } as const;
  const pdf = { type: "document", mime: "application/pdf", content: new Uint8Array(70_000) } as const;
  expect(estimate(image)).toBeGreaterThan(1_500);
  expect(estimate(pdf)).toBeGreaterThanOrEqual(9_000);
  expect(estimate({ type: "result", callId: "c", ok: true, parts: [image] })).toBeGreaterThan(1_500);
});

it("counts answers by what they say they cost, and what broke off by what is known of it", () => {
  const meter = new Meter(PRICE, 50);
  meter.add({ tokensIn: 100, tokensOut: 10, costUsd: 0.0003 });
  expect(meter.spent).toEqual({ tokens: 110, microUsd: 300 });
  // Refused, or not reached.
  meter.addBroken({ isAborted: false });
  expect(meter.spent.tokens).toBe(110);
  meter.onAccepted();
  meter.onUsage({ tokensIn: 1_000, tokensOut: 1, costUsd: 0 });
  meter.onWritten("x".repeat(300));
  expect(meter.soFar).toEqual({ read: 1_000, written: 100 });
  meter.addBroken({ isAborted: false });
  expect(meter.spent).toEqual({ tokens: 110 + 1_100, microUsd: 300 + 2_000 + 1_000 });
  // Cut before it said anything; aborted before it began.
  meter.onAccepted();
  meter.addBroken({ isAborted: false });
  meter.addBroken({ isAborted: true });
  expect(meter.spent).toEqual({ tokens: 1_310, microUsd: 3_500 });
});

it.each([
  ["nothing", { tokensIn: 0, tokensOut: 0, costUsd: 0 }, { tokens: 150, microUsd: 1_100 }],
  ["less than nothing", { tokensIn: -5, tokensOut: -5, costUsd: -1 }, { tokens: 150, microUsd: 1_100 }],
  [
    "more than there is",
    { tokensIn: 9e15, tokensOut: 1, costUsd: 1.8e10 },
    { tokens: 10_000_001, microUsd: 20_000_010 },
  ],
])("does not believe a server that counts %s", (_, usage, spent) => {
  const meter = new Meter(PRICE, 50);
  meter.onWritten("x".repeat(300));
  meter.add(usage);
  expect(meter.spent).toEqual(spent);
});

it("counts no dollars where nobody told the price", () => {
  const meter = new Meter(null, 10);
  meter.add({ tokensIn: 1, tokensOut: 1, costUsd: null });
  meter.addBroken({ isAborted: true });
  expect(meter.spent).toEqual({ tokens: 12, microUsd: 0 });
});
