/** Which cap is reached: what calls under way hold may come free again, and what somebody has allowed goes beyond all. */
import { expect, it } from "vitest";
import type { Reservation, Room } from "../../../shared/store/reserve.ts";
import { describeReached, findNearest, findReached, nameCap } from "../../../workers/planner/turn/reached.ts";

const CAP = { tokens: 1_000_000, usd: 100 };
const RESERVATION: Reservation = {
  taskId: "task_a",
  turn: 1,
  claim: "c",
  tokensIn: 1_000,
  tokensOutMin: 256,
  tokensOutMax: 16_000,
  price: { input: 2, output: 10 },
  caps: { task: CAP, sender: CAP, tenant: CAP },
  approvalId: "appr_a",
  until: 1,
};
const PLENTY = {
  tokens: 0,
  micro_usd: 0,
  tokens_max: 1e6,
  micro_usd_max: 1e8,
  tokens_held: 0,
  micro_usd_held: 0,
};
const room = (scope: Room["scope"], over: Partial<Room> = {}): Room => ({ scope, ...PLENTY, ...over });
const full = { tokens: 1e6 };

it("is one that has no room, in tokens or in money, even if what is held came free", () => {
  expect(findReached([room("task"), room("sender")], RESERVATION)).toBeNull();
  expect(findReached([room("task"), room("sender", full)], RESERVATION)?.scope).toBe("sender");
  expect(findReached([room("tenant", { micro_usd: 1e8 - 1_000 })], RESERVATION)?.scope).toBe("tenant");
  expect(findReached([room("tenant", { ...full, tokens_held: 5_000 })], RESERVATION)).toBeNull();
});

it("is none where somebody has allowed more, also while a planner that was lost holds it", () => {
  const caps = [room("task"), room("sender", full)];
  expect(findReached([...caps, room("allowed")], RESERVATION)).toBeNull();
  const lost = { tokens: 17_000, tokens_max: 17_500, tokens_held: 17_000 };
  expect(findReached([...caps, room("allowed", lost)], RESERVATION)).toBeNull();
  expect(findReached([...caps, room("allowed", { ...lost, tokens_held: 0 })], RESERVATION)?.scope).toBe(
    "sender",
  );
});

it("is the nearest, where an answer was cut off; and is told with what is left and what is needed", () => {
  const near = room("tenant", { micro_usd: 1e8 - 20_000 });
  expect(findNearest([room("task"), room("sender", { tokens: 500_000 }), near], RESERVATION)).toBe(near);
  const noon = Date.UTC(2026, 10, 30, 12);
  expect(describeReached(near, RESERVATION, "api", noon)).toBe(
    "today's spending limit for everybody together is reached: of 1,000,000 tokens ($100.00) there are 1,000,000 tokens ($0.0200) left, " +
      "and the next step needs 1,256 tokens ($0.0046) at least; it renews at 00:00 UTC, in 12 h 0 min",
  );
  expect(nameCap(near, noon)).toEqual({ scope: "tenant", renews_at: Date.UTC(2026, 11, 1) });
  expect(nameCap(room("allowed"), noon)).toEqual({ scope: "task", renews_at: null });
});
