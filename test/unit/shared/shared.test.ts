/** Ids, logs, settings: what everything else leans on. */
import { describe, expect, it } from "vitest";
import { readTimings } from "../../../shared/config.ts";
import { backoffMs } from "../../../shared/errors.ts";
import { deriveId, newId, changeIdKind } from "../../../shared/ids.ts";
import { TIMINGS } from "../../../shared/limits.ts";
import { redact } from "../../../shared/log.ts";
import { equalInConstantTime } from "../../../shared/signature.ts";
import { CodeResult, codeResultExample } from "../../../shared/contracts/code.ts";
import { cutMiddle, toOneLine } from "../../../shared/text.ts";

describe("ids", () => {
  it("are the same for the same parts, and others for others", async () => {
    expect(await deriveId("conv", "a", "bc")).toBe(await deriveId("conv", "a", "bc"));
    expect(await deriveId("conv", "a", "bc")).not.toBe(await deriveId("conv", "ab", "c"));
    expect(await deriveId("conv", "a")).toMatch(/^conv_[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it("that are new sort by their time", () => {
    const ids = [1, 2 ** 20, 2 ** 40, 2 ** 40 + 1].map((ms) => newId("msg", ms));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(Array.from({ length: 100 }, () => newId("msg", 1))).size).toBe(100);
  });

  it("share their suffix from message to task", () => {
    expect(changeIdKind("msg_abc", "task")).toBe("task_abc");
  });
});

describe("a text that is too long", () => {
  it("keeps its beginning and its end, and says how much is left out", () => {
    const text = `${"a".repeat(500)}${"🔥".repeat(500)}`;
    const cut = cutMiddle(text, 301);
    expect(cut).toMatch(/^a+\n… \(\d+ characters left out\) …\n(?:🔥)+$/u);
    expect(cut.length).toBeLessThanOrEqual(301);
    expect(cut.isWellFormed()).toBe(true);
    expect(cutMiddle(text, 0)).toBe("… (1500 characters left out) …");
    expect(cutMiddle("short", 5)).toBe("short");
  });
});

describe("what an isolate brings back", () => {
  it("is refused when its value is no JSON", () => {
    const result = (json: string) => ({ ...codeResultExample, value: { shown: "x", json } });
    expect(CodeResult.safeParse(result('{"a":1}')).success).toBe(true);
    expect(CodeResult.safeParse(result("{a")).success).toBe(false);
  });
});

describe("one line", () => {
  it.each([
    ["a\n\tb", "a b"],
    ["\u001b[31ma\0b", "[31ma b"],
    ["a\u202etxt.exe", "a txt.exe"],
    ["a\ud83d", "a\ufffd"],
    ["👨‍👩‍👧 Ada", "👨‍👩‍👧 Ada"],
  ])("of %j is %j", (text, line) => {
    expect(toOneLine(text, 20)).toBe(line);
  });

  it("is cut on a whole character", () => {
    expect(toOneLine("abc🙂def", 5)).toBe("abc…");
  });
});

describe("the log", () => {
  it.each([
    "https://api.telegram.org/bot4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qcA/sendMessage",
    "Authorization: Bearer errand_default_0123456789abcdefghijklmn",
    "errand_default_0123456789abcdefghijklmn",
    "sk-ant-api03-0123456789abcdef",
    "xoxb-1234567890-abcdef",
  ])("does not show the secret of %s", (text) => {
    expect(redact(text)).toContain("[redacted]");
    expect(redact(text)).not.toMatch(/AAFD39|0123456789abcdef|1234567890-abcdef/);
  });
});

describe("settings", () => {
  it("override some timings, and name themselves when they cannot be read", () => {
    expect(readTimings({})).toEqual(TIMINGS);
    expect(readTimings({ ERRAND_TIMINGS: '{"lease_ms": 5}' })).toEqual({ ...TIMINGS, lease_ms: 5 });
    for (const wrong of ["{", '{"lease": 5}', '{"lease_ms": -1}', "[]"]) {
      expect(() => readTimings({ ERRAND_TIMINGS: wrong })).toThrow("ERRAND_TIMINGS");
    }
  });

  it("nest: a silence ends before its claim, a call before its step, a step before its task, calls before the lease", () => {
    expect(TIMINGS.model_silence_ms + TIMINGS.platform_call_ms * 4).toBeLessThan(TIMINGS.turn_claim_ms);
    expect(TIMINGS.text_flush_ms).toBeLessThan(TIMINGS.turn_claim_ms / 3);
    expect(TIMINGS.model_call_ms).toBeLessThan(TIMINGS.plan_ms);
    expect(TIMINGS.plan_ms).toBeLessThan(TIMINGS.task_deadline_ms);
    expect(TIMINGS.code_wall_ms + TIMINGS.sandbox_queue_ms).toBeLessThan(TIMINGS.step_ms);
    expect(TIMINGS.step_ms).toBeLessThan(TIMINGS.task_deadline_ms);
    expect(TIMINGS.platform_call_ms * 4).toBeLessThan(TIMINGS.lease_ms);
  });
});

it("backs off, and stops growing", () => {
  expect([1, 2, 3, 4, 20].map((attempt) => backoffMs(attempt, 5_000))).toEqual([
    1_000, 2_000, 4_000, 5_000, 5_000,
  ]);
});

it("compares secrets of any length", async () => {
  expect(await equalInConstantTime("same", "same")).toBe(true);
  for (const other of ["", "sam", "same ", "SAME"])
    expect(await equalInConstantTime(other, "same")).toBe(false);
});
