/** Stories of calls that wait for a person: one decision, one outcome, and nobody denied by an accident. */
import { expect } from "vitest";
import type { Control } from "../support/control.ts";
import type { Pipeline } from "../support/pipeline.ts";
import { until } from "../support/until.ts";
import { pressUntilTaken, say, type Story, untilAnswered } from "./say.ts";

const ASKING = JSON.stringify({
  rules: [{ tool: "run_code", decision: "ask" }],
  inside_hosts: [],
  approvers: "person",
});

const CAPPED = JSON.stringify({ ...JSON.parse(ASKING), rules: [], caps: { person_day: { tokens: 0 } } });

/** Whatever befalls it, it waits in the end; its Workflow for the event, unless it was killed before: nobody revives who waits. @returns the id of what is asked. */
async function isWaiting(pipeline: Pipeline, chat: number, control: Control): Promise<string> {
  const isAtWait = () =>
    control.met.length > 0 || control.effects.some(({ key }) => key === "executor run: step wait");
  await until(isAtWait, 30_000, "the Workflow to wait");
  const asked = async () => {
    const [row] = await pipeline.sql<{ id: string }>(
      "SELECT a.id FROM approvals a JOIN tasks t ON t.id = a.task_id WHERE t.sender = ? AND t.state = 'waiting' AND a.state = 'open'",
      `telegram:${chat}`,
    );
    return row?.id ?? false;
  };
  return until(asked, 30_000, "the task to wait");
}

/** A call that asks first. Only until it does: the other stories ask nobody. */
async function beginAsking(pipeline: Pipeline, chat: number, control: Control): Promise<string> {
  await pipeline.sql("UPDATE tenants SET policy = ? WHERE id = 'default'", ASKING);
  await say(pipeline, chat, "/run 6 * 7");
  const id = await isWaiting(pipeline, chat, control);
  await pipeline.sql("UPDATE tenants SET policy = NULL WHERE id = 'default'");
  return id;
}

export const WAITING: readonly Story[] = [
  {
    name: "an approved call",
    async tell(pipeline, chat, control) {
      await pressUntilTaken(pipeline, chat, `approve:${await beginAsking(pipeline, chat, control)}`);
    },
    expects: [expect.stringMatching(/^✅ Approved\./), "42"],
  },
  {
    name: "a denied call",
    async tell(pipeline, chat, control) {
      await pressUntilTaken(pipeline, chat, `deny:${await beginAsking(pipeline, chat, control)}`);
    },
    expects: [expect.stringMatching(/^⛔ Denied\./), expect.stringContaining("a person denied it")],
  },
  {
    name: "a call that is approved, and then denied",
    async tell(pipeline, chat, control) {
      const id = await beginAsking(pipeline, chat, control);
      await pressUntilTaken(pipeline, chat, `approve:${id}`);
      await until(
        async () => (await pipeline.sql("SELECT 1 FROM inbound WHERE state = 'new'")).length === 0,
        20_000,
        "the first to be decided",
      );
      await pressUntilTaken(pipeline, chat, `deny:${id}`);
    },
    expects: [expect.stringMatching(/^✅ Approved\./), "42"],
  },
  {
    name: "a call that is denied by a message",
    async tell(pipeline, chat, control) {
      await beginAsking(pipeline, chat, control);
      await say(pipeline, chat, "Better not");
    },
    expects: [
      expect.stringMatching(/^⛔ Denied\. Better not/),
      expect.stringContaining("and said: Better not"),
    ],
  },
  {
    name: "a call that nobody decides",
    async tell(pipeline, chat, control) {
      const id = await beginAsking(pipeline, chat, control);
      await pipeline.sql("UPDATE approvals SET expires_at = 1 WHERE id = ?", id);
      const isShown = () => pipeline.telegram.in(chat).some(({ buttons }) => buttons.length > 0);
      await until(isShown, 30_000, "its buttons");
      // The clock rings what is due: nothing else is, so that two runs are alike.
      await pipeline.sql("UPDATE outbox SET ring_at = CASE queue WHEN 'tasks' THEN 0 ELSE 9e15 END");
      await pipeline.ring();
    },
    expects: [
      expect.stringMatching(/^⌛ Nobody decided/),
      expect.stringContaining("nobody approved it in time"),
    ],
  },
  {
    name: "a task that is stopped while it waits",
    async tell(pipeline, chat, control) {
      await beginAsking(pipeline, chat, control);
      await say(pipeline, chat, "/stop");
    },
    expects: [expect.stringMatching(/^⏹ It is over/), "⏹ Stopped."],
  },
  {
    name: "a task that may cost more",
    async tell(pipeline, chat, control) {
      await pipeline.sql(
        "INSERT INTO people (tenant_id, channel, external_id, role, created_at) VALUES ('default', 'telegram', ?, 'admin', 1)",
        String(chat),
      );
      await pipeline.sql("UPDATE tenants SET policy = ? WHERE id = 'default'", CAPPED);
      await say(pipeline, chat, "Hello");
      await pressUntilTaken(pipeline, chat, `approve:${await isWaiting(pipeline, chat, control)}`);
      await untilAnswered(pipeline, chat);
      await pipeline.sql("UPDATE tenants SET policy = NULL WHERE id = 'default'");
    },
    expects: [expect.stringMatching(/^✅ Approved\./), "Hello, too."],
  },
  {
    name: "a question that is answered by a message",
    async tell(pipeline, chat, control) {
      await say(pipeline, chat, "Ask me");
      await isWaiting(pipeline, chat, control);
      await say(pipeline, chat, "7");
    },
    expects: [expect.stringMatching(/^💬 Answered\. 7/), "It is 7."],
  },
];
