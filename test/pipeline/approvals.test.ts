/** A call that waits for a person: asked, decided by whoever may, once; by buttons, commands, messages and the API. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { ApprovalPage, ApprovalView } from "../../shared/contracts/control.ts";
import type { Policy } from "../../shared/policy/policy.ts";
import { openPipeline, type Pipeline, privateText, type TaskBody } from "../support/pipeline.ts";
import { press as pressButton } from "../support/press.ts";
import { until } from "../support/until.ts";

const WAIT_MS_MAX = 60_000;
const ASKING: Policy = {
  rules: [{ tool: "run_code", decision: "ask" }],
  inside_hosts: [],
  approvers: "person",
};

let pipeline: Pipeline;
let chat = 4_000;
beforeAll(async () => {
  pipeline = await openPipeline();
  await setPolicy(ASKING);
});
afterAll(() => pipeline.close());
afterEach(() => setPolicy(ASKING));

async function setPolicy(policy: Policy): Promise<void> {
  expect((await pipeline.api("PUT", "/policy", policy)).status).toBe(200);
}

const shown = (id: number) => pipeline.telegram.in(id);
const asked = (id: number) => shown(id).filter(({ text }) => text.includes("May I do this?"));

/** Has a new person ask for code; resolves when they are asked. */
async function begin(text = "/run 6 * 7") {
  const id = ++chat;
  await pipeline.hook(privateText(id, text));
  const isAsked = () => asked(id).find(({ buttons }) => buttons.length > 0) ?? false;
  const message = await until(isAsked, WAIT_MS_MAX, "the request");
  const [approve = "", deny = ""] = message.buttons;
  const task = await taskOf(id);
  return { chat: id, message, approve, deny, task };
}

async function taskOf(id: number): Promise<TaskBody> {
  const [row] = await pipeline.sql<{ id: string }>(
    "SELECT id FROM tasks WHERE sender = ? ORDER BY seq DESC LIMIT 1",
    `telegram:${id}`,
  );
  return (await pipeline.api("GET", `/tasks/${row?.id}`)).body;
}

const press = (id: number, data: string, from = id) => pressButton(pipeline, id, data, from);

const answerIn = (id: number, words: string) =>
  until(() => shown(id).find(({ text }) => text.includes(words)) ?? false, WAIT_MS_MAX, `"${words}"`);

it("is shown whole with its buttons, waits, and is made when it is approved; a second press says so", async () => {
  const { chat: id, message, approve, deny, task } = await begin("/run 'exactly' + ' this'");
  expect(message.text).toContain("'exactly' + ' this'");
  expect(message.text).toContain("/approve");
  expect(task.status).toBe("waiting");
  expect(task.receipt.map(({ event }) => event)).not.toContain("started 1.1");
  expect(await press(id, approve)).toBe("Approved.");
  expect(await press(id, approve)).toBe("It was approved already.");
  expect(await press(id, deny)).toBe("It was approved already.");
  await answerIn(id, "exactly this");
  await pipeline.quiet();
  expect(shown(id).map(({ text }) => text)).toEqual([
    expect.stringMatching(/^✅ Approved\./),
    expect.stringContaining("exactly this"),
  ]);
  expect(asked(id)[0]?.buttons).toEqual([]);
  expect((await taskOf(id)).status).toBe("succeeded");
});

it("is not made when it is denied, and whoever asked hears why", async () => {
  const { chat: id, task } = await begin();
  const shortId = /\/deny ([0-9a-z]{6})/.exec(asked(id)[0]?.text ?? "")?.[1] ?? "";
  await pipeline.hook(privateText(id, `/deny ${shortId} it is Friday`));
  await answerIn(id, "a person denied it, and said: it is Friday");
  await pipeline.quiet();
  const after = await pipeline.api("GET", `/tasks/${task.id}`);
  expect(after.body.status).toBe("failed");
  expect(after.body.receipt.map(({ event }) => event).join()).not.toContain("started");
  expect(asked(id)[0]?.text).toMatch(/^⛔ Denied\. it is Friday/);
});

it("is approved by the command alone, for there is only one", async () => {
  const { chat: id } = await begin();
  await pipeline.hook(privateText(id, "/approve"));
  await answerIn(id, "42");
  await pipeline.quiet();
  expect((await taskOf(id)).receipt.map(({ event }) => event)).toContain("decided 1.1");
});

it("is approved by an id that is one, and by nothing else", async () => {
  const { chat: id, task } = await begin();
  const shortId = /\/deny ([0-9a-z]{6})/.exec(asked(id)[0]?.text ?? "")?.[1] ?? "";
  for (const args of ["please", `#${shortId}`, `${shortId}.`, `${shortId} now`]) {
    await pipeline.hook(privateText(id, `/approve ${args}`));
    await until(() => shown(id).some(({ text }) => text.includes("Nothing was approved")), WAIT_MS_MAX, args);
  }
  await pipeline.hook(privateText(id, "/approve 000000"));
  await answerIn(id, "There is nothing to decide here.");
  expect((await taskOf(id)).status).toBe("waiting");
  const { body: page } = await pipeline.api<ApprovalPage>("GET", "/approvals?state=open");
  await pipeline.hook(privateText(id, `/approve ${page.approvals.find((one) => one.task === task.id)?.id}`));
  await answerIn(id, "42");
  await pipeline.quiet();
});

it("shows what would not be seen", async () => {
  const { chat: id, approve } = await begin("/run 'a\u202eb\u200bc'");
  expect(asked(id)[0]?.text).toContain("'a\\u{202e}b\\u{200b}c'");
  expect(await press(id, approve)).toBe("Approved.");
  await pipeline.quiet();
});

it("goes with a person who is forgotten", async () => {
  const { chat: id } = await begin("/run 'to be forgotten'");
  expect((await pipeline.api("POST", `/people/telegram:${id}/forget`)).status).toBe(200);
  const left = ["approvals", "replies", "calls"].map((table) =>
    pipeline.sql(
      `SELECT * FROM ${table} WHERE CAST(${table === "calls" ? "input" : "text"} AS TEXT) LIKE '%to be forgotten%'`,
    ),
  );
  expect((await Promise.all(left)).flat()).toEqual([]);
  await pipeline.quiet();
});

it("is over when its task runs out of time beside it", async () => {
  const { chat: id, approve, task } = await begin();
  await pipeline.sql(
    "UPDATE tasks SET state = 'running', waiting_since = NULL, deadline_at = 1 WHERE id = ?",
    task.id,
  );
  await pipeline.sql("UPDATE outbox SET ring_at = 0 WHERE queue = 'tasks' AND key = ?", task.id);
  await pipeline.ring();
  await answerIn(id, "It is over");
  expect(await press(id, approve)).toBe("Its task has ended.");
  await pipeline.quiet();
});

it("is told however long it took, and however busy the platform is", async () => {
  const { chat: id, approve, task } = await begin();
  const old =
    "UPDATE replies SET created_at = 1 WHERE id = ? OR id IN (SELECT id FROM approvals WHERE task_id = ?)";
  await pipeline.sql(old, task.id, task.id);
  let refusals = 4;
  pipeline.telegram.faultOf = ({ method }) =>
    method === "editMessageText" && refusals-- > 0
      ? { status: 429, description: "Too Many Requests", parameters: { retry_after: 0 } }
      : undefined;
  expect(await press(id, approve)).toBe("Approved.");
  await answerIn(id, "42");
  await pipeline.quiet();
  pipeline.telegram.faultOf = () => undefined;
  expect(asked(id)[0]?.text).toMatch(/^✅ Approved/);
});

it("is denied with a reason that begins as an id might", async () => {
  const { chat: id } = await begin();
  await pipeline.hook(privateText(id, "/deny danger ahead"));
  await answerIn(id, "and said: danger ahead");
  await pipeline.quiet();
  expect((await taskOf(id)).status).toBe("failed");
});

it("is denied by a message, with its words as the reason", async () => {
  const { chat: id } = await begin();
  await pipeline.hook(privateText(id, "No, multiply six by eight."));
  await answerIn(id, "and said: No, multiply six by eight.");
  await pipeline.quiet();
  // It was read by that: nothing else comes of it.
  expect(await pipeline.sql("SELECT 1 FROM messages WHERE content LIKE '%by eight%'")).toEqual([]);
});

it("is nobody else's: a stranger's press, a member's where only admins decide", async () => {
  const { chat: id, approve } = await begin();
  expect(await press(id + 5_000, approve)).toBe("There is nothing to decide here.");
  await setPolicy({ ...ASKING, approvers: "admins" });
  expect(await press(id, approve)).toBe("You may not decide this.");
  await pipeline.hook(privateText(id, "Then hurry up."));
  await until(
    async () => (await pipeline.sql("SELECT 1 FROM messages WHERE content LIKE '%hurry up%'")).length > 0,
    WAIT_MS_MAX,
    "the message to be steering",
  );
  expect((await taskOf(id)).status).toBe("waiting");
  await setPolicy(ASKING);
  expect(await press(id, approve)).toBe("Approved.");
  await answerIn(id, "42");
  await pipeline.quiet();
});

it("is over with its task: a stop leaves nothing to decide, and nothing starts", async () => {
  const { chat: id, approve, task } = await begin();
  await pipeline.hook(privateText(id, "/stop"));
  await answerIn(id, "Stopped.");
  await answerIn(id, "It is over");
  expect(await press(id, approve)).toBe("Its task has ended.");
  await pipeline.quiet();
  const after = await pipeline.api("GET", `/tasks/${task.id}`);
  expect(after.body).toMatchObject({ status: "cancelled" });
  expect(after.body.receipt.map(({ event }) => event)).toContain("decided 1.1");
  expect(after.body.receipt.map(({ event }) => event).join()).not.toContain("started");
});

it("is denied by nobody's deciding in time, by the clock of the database alone", async () => {
  const { chat: id, approve, task } = await begin();
  await pipeline.sql("UPDATE approvals SET expires_at = 1 WHERE task_id = ?", task.id);
  expect(await press(id, approve)).toBe("It is too late: nobody decided in time.");
  await pipeline.sql("UPDATE outbox SET ring_at = 0 WHERE queue = 'tasks' AND key = ?", task.id);
  await pipeline.ring();
  await answerIn(id, "nobody approved it in time");
  await pipeline.quiet();
  expect(asked(id)[0]?.text).toMatch(/^⌛ Nobody decided in time/);
});

it("does not run out of time while it waits", async () => {
  const { chat: id, approve, task } = await begin();
  await pipeline.sql(
    "UPDATE tasks SET deadline_at = 5, waiting_since = 1, claimed_until = 0 WHERE id = ?",
    task.id,
  );
  await pipeline.sql("UPDATE outbox SET ring_at = 0 WHERE queue = 'tasks' AND key = ?", task.id);
  await pipeline.ring();
  await pipeline.ring();
  expect((await taskOf(id)).status).toBe("waiting");
  const before = Date.now();
  expect(await press(id, approve)).toBe("Approved.");
  await answerIn(id, "42");
  await pipeline.quiet();
  // What it had left is what it has left.
  const [after] = await pipeline.sql<{ left: number }>(
    "SELECT deadline_at - ? AS left FROM tasks WHERE id = ?",
    before,
    task.id,
  );
  expect(after?.left).toBeGreaterThanOrEqual(0);
});

it("is listed and decided over the API, by a key that may", async () => {
  const make = async (scopes: string[]) => {
    const { body } = await pipeline.api<{ key: string }>("POST", "/keys", { label: "x", scopes });
    return { authorization: `Bearer ${body.key}` };
  };
  const [tasks, approver] = [await make(["tasks"]), await make(["approvals"])];
  const call = { tool: "run_code", input: { code: "6 * 7" } };
  const { body: task } = await pipeline.api("POST", "/tasks", call, tasks);
  const open = await until(
    async () => {
      const page = await pipeline.api<ApprovalPage>("GET", "/approvals?state=open", undefined, tasks);
      return page.body.approvals.find((one) => one.task === task.id) ?? false;
    },
    WAIT_MS_MAX,
    "the approval",
  );
  expect(open).toMatchObject({ kind: "approval", state: "open", turn: 1, call: 1 });
  const path = `/approvals/${open.id}`;
  // Who asks does not approve.
  expect((await pipeline.api("POST", path, { decision: "approve" }, tasks)).status).toBe(403);
  expect((await pipeline.api("POST", path, { decision: "answer", answer: "x" }, approver)).status).toBe(409);
  const decided = await pipeline.api<ApprovalView>("POST", path, { decision: "approve" }, approver);
  expect(decided.body).toMatchObject({ state: "approved", decided_by: expect.stringMatching(/^key:/) });
  expect((await pipeline.api("POST", path, { decision: "approve" }, approver)).status).toBe(200);
  expect((await pipeline.api("POST", path, { decision: "deny" }, approver)).status).toBe(409);
  expect((await pipeline.ended(task.id)).status).toBe("succeeded");
});
