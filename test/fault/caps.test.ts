/** A spending cap under crashes: it holds, everybody is told what became of theirs, and what is counted is what was spent, to the token. */
import { afterAll, describe, expect, it } from "vitest";
import type { EffectFault } from "../support/control.ts";
import { chance, sample } from "../support/seed.ts";
import { openStoryRunner } from "../support/story-runner.ts";
import { nameOf } from "./prove.ts";
import { say, type Story } from "./say.ts";

const PEOPLE = 6;
const ANSWERS = 4;
const TOKENS = 16_000;
const TOKENS_IN = 3_000;
const SAMPLED = 2;

/** What is under way is lost soon after its planner is. */
const runner = await openStoryRunner({
  plan_ms: 3_000,
  room_wait_ms: 300,
  turn_claim_ms: 1_500,
  reconcile_claim_ms: 1_500,
});
afterAll(() => runner.close());
runner.model.usage = { input_tokens: TOKENS_IN, output_tokens: TOKENS - TOKENS_IN };
const { pipeline } = runner;
let nextPerson = 20_000;

const policy = {
  rules: [],
  inside_hosts: [],
  approvers: "person",
  caps: { tenant_day: { tokens: ANSWERS * TOKENS } },
};

async function tell(faults: readonly EffectFault[]) {
  const people = Array.from({ length: PEOPLE }, () => nextPerson++);
  runner.model.requests.length = 0;
  await pipeline.sql("DELETE FROM spending");
  await pipeline.sql("DELETE FROM reservations");
  await pipeline.sql("UPDATE tenants SET policy = ? WHERE id = 'default'", JSON.stringify(policy));
  const story: Story = {
    name: "a cap",
    expects: [],
    tell: async () => {
      await Promise.all(people.map((person) => say(pipeline, person, "Hello")));
    },
  };
  const told = await runner.tell(story, faults);
  const said = people.map((person) =>
    pipeline.telegram.in(person).flatMap(({ text }) => (text.endsWith(" …") ? [] : text)),
  );
  const [counted] = await pipeline.sql<{ spent: number; lost: number; stored: number }>(
    `SELECT (SELECT tokens FROM spending WHERE sender = '') AS spent,
       (SELECT COALESCE(SUM(tokens), 0) FROM reservations) AS lost,
       (SELECT COUNT(*) FROM turns u JOIN tasks t ON t.id = u.task_id WHERE u.text IS NOT NULL AND u.model <> 'rules'
          AND t.sender IN (SELECT 'telegram:' || value FROM json_each(?))) AS stored`,
    JSON.stringify(people),
  );
  const costs = runner.model.requests.map(
    ({ body }) => TOKENS_IN + Math.min(TOKENS - TOKENS_IN, body.max_tokens),
  );
  return { told, said, counted, costs };
}

const clean = await tell([]);
/** As many of each as there are however long somebody waits for room. */
const points = clean.told.effects.filter(
  ({ key, occurrence }) => key.startsWith("planner nextTurn 1") && occurrence <= ANSWERS,
);
const faults = points.flatMap(({ key, occurrence, done }) =>
  (done ? (["before", "after"] as const) : (["before"] as const)).map((moment): EffectFault => ({
    key,
    occurrence,
    moment,
    what: "crash",
  })),
);

describe("a cap for four of six", () => {
  it("lets four through, and tells the others", () => {
    expect(clean.said.filter((texts) => texts.join() === "Hello, too.")).toHaveLength(ANSWERS);
    expect(clean.counted).toEqual({ spent: ANSWERS * TOKENS, lost: 0, stored: ANSWERS });
  });

  it.each(sample(faults, SAMPLED, chance("caps")).map((fault) => [nameOf(fault), fault] as const))(
    "holds when there is a crash %s",
    async (_, fault) => {
      const { told, said, counted, costs } = await tell([fault]);
      expect(told.left).toEqual([]);
      expect(told.met).toHaveLength(1);
      const answered = said.filter((texts) => texts.join() === "Hello, too.");
      const refused = said.filter((texts) => texts.join().includes("spending limit"));
      expect(answered.length + refused.length, JSON.stringify(said)).toBe(PEOPLE);
      // The call that was lost has taken the room of at most one.
      expect(answered.length).toBeGreaterThanOrEqual(ANSWERS - 1);
      expect(answered.length).toBeLessThanOrEqual(ANSWERS);
      expect(counted?.stored).toBe(answered.length);
      // What had too little room for its answer is paid for as well, unless it is the one that was lost.
      const cut = costs.filter((cost) => cost < TOKENS);
      const sum = cut.reduce((all, cost) => all + cost, answered.length * TOKENS + (counted?.lost ?? 0));
      expect([sum, ...cut.map((cost) => sum - cost)]).toContain(counted?.spent);
    },
  );
});
