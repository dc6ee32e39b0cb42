/** No statement reads a whole table: the ten-thousandth message must cost what the first did. */
import { beforeAll, expect, it } from "vitest";
import { TIMINGS } from "../../../shared/limits.ts";
import { addFirstKey } from "../../../shared/store/api-keys.ts";
import { isWatchLate, settleNotice, watch } from "../../../shared/store/alerts.ts";
import { applyDecisions } from "../../../shared/store/apply-decisions.ts";
import {
  dropApprovals,
  expireApprovals,
  markWoken,
  pauseWaiting,
  readDecision,
} from "../../../shared/store/approvals.ts";
import { decideApproval, listApprovals, readApproval } from "../../../shared/store/decide-approval.ts";
import { readOwnPolicy, readPolicy, setPolicy } from "../../../shared/store/policies.ts";
import { readGated, requestPerson } from "../../../shared/store/request-person.ts";
import { DEFAULT_POLICY } from "../../../shared/policy/policy.ts";
import { findArtifact, findLinkedArtifact } from "../../../shared/store/artifacts.ts";
import { readAttachments, recordAttachments, recordRefused } from "../../../shared/store/attachments.ts";
import { cancelTask } from "../../../shared/store/cancel-task.ts";
import { claimTasks, dropTaskDoorbell, releaseTask } from "../../../shared/store/claim-tasks.ts";
import { claimTurn } from "../../../shared/store/claim-turn.ts";
import { discard, listDeadLetters, readDeadLetter, unpark } from "../../../shared/store/dead-letters.ts";
import type { Decision } from "../../../shared/store/decision.ts";
import { endTask } from "../../../shared/store/end-task.ts";
import { dropImages } from "../../../shared/store/images.ts";
import { readNewInbound } from "../../../shared/store/inbound.ts";
import { dropReplyDoorbell, leaseReply } from "../../../shared/store/lease-reply.ts";
import { listTasks, recentTasks } from "../../../shared/store/list-tasks.ts";
import { narrate } from "../../../shared/store/narrate.ts";
import { observeCall } from "../../../shared/store/observe-call.ts";
import { takeDue } from "../../../shared/store/outbox.ts";
import { parkAndTell, parkMisconfigured, parkUnreadable } from "../../../shared/store/park.ts";
import { admitByCode, dismissPerson, listPeople, readRoles } from "../../../shared/store/people.ts";
import { purge } from "../../../shared/store/purge.ts";
import { listUnnamed } from "../../../shared/store/file-references.ts";
import { followTask, readReceipt } from "../../../shared/store/receipt.ts";
import { receiveInbound } from "../../../shared/store/receive.ts";
import {
  announceMessage,
  announcePing,
  recordAbsent,
  recordMessage,
} from "../../../shared/store/record-message.ts";
import { releaseTurn } from "../../../shared/store/release-turn.ts";
import { reviveTask } from "../../../shared/store/revive-task.ts";
import { postponeReply, settleReply } from "../../../shared/store/settle-reply.ts";
import { isTaskActive, showProgress, startCall } from "../../../shared/store/start-call.ts";
import { steerTask } from "../../../shared/store/steer-task.ts";
import { storeTurn } from "../../../shared/store/store-turn.ts";
import { closeStream, keepStream } from "../../../shared/store/streams.ts";
import { noteSign } from "../../../shared/store/signs.ts";
import { readStatus } from "../../../shared/store/status.ts";
import { tellChat } from "../../../shared/store/tell-chat.ts";
import { submitTask } from "../../../shared/store/submit-task.ts";
import { CALLER, acceptedMessage, ADDRESS, newInbound, observed, plannedTurn, whereOf } from "../builders.ts";
import { openDatabase, rows } from "../database.ts";
import { callSpending, callWorkspace } from "./planned-calls.ts";

/** Tables of a few rows, and those whose size is what is under way now. */
const SMALL = new Set(["tenants", "api_keys", "streams", "signs", "alerts", "notices"]);

const prepared = new Set<string>();
let db: D1Database;
let recorder: D1Database;

beforeAll(async () => {
  db = await openDatabase();
  recorder = new Proxy(db, {
    get(target, name) {
      if (name === "batch") return target.batch.bind(target);
      return (sql: string) => {
        prepared.add(sql);
        return target.prepare(sql);
      };
    },
  });
});

const NOW = 1_000;
const SHA256 = "0".repeat(64);
const FILES = [{ sha256: SHA256, name: "x", mime: "text/plain", bytes: 1 }];
const CONTENT = { type: "text" as const, text: "x" };
const INBOUND = newInbound("inb_a", "conv_a");
const WHERE = whereOf(INBOUND);
const STOP = { taskIdPrefix: "task_", text: "", unreadText: "", idleText: "" };
const DECIDING = {
  ...WHERE,
  by: "telegram:1",
  isAdmin: false,
  outcome: "x",
  callbackId: null,
  doneText: "x",
};
const DECISIONS: Decision[] = [
  { kind: "message", ...WHERE, messageId: "msg_a", taskId: "task_a", sender: "telegram:1", content: CONTENT },
  { kind: "edit", inbound: INBOUND, externalId: "7", content: CONTENT },
  { kind: "reply", ...WHERE, text: "x" },
  { kind: "stop", ...WHERE, ...STOP },
  { kind: "forget", ...WHERE, text: "x" },
  { kind: "issue_code", ...WHERE, personId: "1", code: "AAAA-AAAA", text: "x" },
  { kind: "admit_group", ...WHERE, groupId: "-1", by: "telegram:1", text: "x" },
  { kind: "migrate_group", inbound: INBOUND, channel: "telegram", from: "-1", to: "-2" },
  { kind: "press", ...WHERE, ...STOP, callbackId: "q", doneText: "x" },
  { kind: "park", inbound: INBOUND, reason: "x" },
  { kind: "decide", ...DECIDING, target: { prefix: "appr_" }, verdict: { state: "denied", text: "x" } },
  { kind: "decide", ...DECIDING, target: { id: "appr_a" }, verdict: { state: "answered", choice: 0 } },
];

/** Every statement of the store is prepared once; what the calls answer does not matter here. */
async function callEverything(): Promise<void> {
  await callAsProgram();
  await callAsTriage();
  await callAsTask();
  await callAsPerson();
  await callAsReply();
  await callAsClock();
}

async function callAsProgram(): Promise<void> {
  const d = recorder;
  const task = { caller: CALLER, taskId: "task_b" };
  const ids = { taskId: "task_b", messageId: "msg_b", conversationId: "conv_b" };
  await addFirstKey(d, { hash: "h", tenantId: "default", label: "x", now: NOW });
  await submitTask(
    d,
    { caller: CALLER, tenantId: "default", ...ids, address: ADDRESS, content: CONTENT },
    NOW,
    TIMINGS,
  );
  await steerTask(d, { ...task, messageId: "msg_c", nextTaskId: "task_c", content: CONTENT }, NOW);
  await listTasks(d, { caller: CALLER, state: null, before: null });
  await readReceipt(d, task);
  await followTask(d, { ...task, after: 0 });
  await readRoles(d, { tenantId: "default", channel: "telegram", ids: ["1"] });
  await listPeople(d, CALLER);
  await admitByCode(d, { caller: CALLER, code: "AAAA-AAAA", role: "member" }, NOW);
  await dismissPerson(d, { caller: CALLER, channel: "telegram", externalId: "1" }, NOW);
  const stream = { keyHash: "h", id: "s" };
  await keepStream(d, stream, NOW, NOW);
  await closeStream(d, stream);
  await findArtifact(d, { taskId: "task_a", turn: 1, call: 1, position: 0 }, CALLER);
  await findLinkedArtifact(d, { taskId: "task_a", turn: 1, call: 1, position: 0 });
  await cancelTask(d, { ...task, endedBy: "x", text: "", unreadText: "" }, NOW, TIMINGS);
}

async function callAsTriage(): Promise<void> {
  const d = recorder;
  const unreadable = { ...acceptedMessage("inb_u", "conv_a"), event: null, parkedReason: "x" };
  await receiveInbound(d, [acceptedMessage("inb_a", "conv_a"), unreadable], NOW, TIMINGS);
  await readNewInbound(d, ["inb_a"]);
  await applyDecisions(d, DECISIONS, NOW, TIMINGS);
  await recentTasks(d, { conversationId: "conv_a", idPrefix: "task_", limit: 1 });
}

const SPENT = { tokens: 1, microUsd: 1 };

async function callAsTask(): Promise<void> {
  const d = recorder;
  const claim = { taskId: "task_a", turn: 1, claim: "c" };
  const call = { taskId: "task_a", turn: 1, call: 1 };
  const until = NOW;
  await claimTasks(d, ["task_a"], NOW, TIMINGS);
  await releaseTask(d, "task_a");
  await reviveTask(d, { taskId: "task_a", status: "errored" }, NOW);
  await claimTurn(d, { ...claim, until }, NOW);
  await callSpending(d, claim, NOW);
  await narrate(d, { ...claim, delta: "x", shown: "x", read: 1, written: 1, until }, NOW);
  await storeTurn(d, { ...plannedTurn(claim, "x", 1), files: FILES }, NOW, TIMINGS);
  await storeTurn(d, { ...plannedTurn(claim, "x"), untold: "x", spent: SPENT, files: FILES }, NOW, TIMINGS);
  await readAttachments(d, ["msg_a"]);
  const file = { message_id: "msg_a", position: 0, sha256: SHA256, mime: "", bytes: 1, failure: null };
  await recordAttachments(d, "conv_a", [{ ...file, path: "inbox/a" }], NOW);
  await callWorkspace(d, NOW);
  await recordRefused(d, ["msg_a"], "x");
  await dropImages(d, [call]);
  await releaseTurn(d, { ...claim, reason: "x", retryAfterMs: 1, spent: SPENT, until }, NOW);
  await startCall(d, call, until, NOW);
  await isTaskActive(d, "task_a");
  await showProgress(d, "task_a", "x");
  await observeCall(d, call, observed("", { files: FILES }), {
    latencyMs: 1,
    now: NOW,
    isBesideWaiting: false,
  });
  for (const answer of [{ text: "x" }, { turn: 1 }])
    await endTask(d, { taskId: "task_a", state: "failed", endedBy: "x", error: null, answer }, NOW, TIMINGS);
  await dropTaskDoorbell(d, "task_a", 1);
}

async function callAsPerson(): Promise<void> {
  const d = recorder;
  const key = { taskId: "task_a", turn: 1, call: 1 };
  const asking = {
    kind: "approval",
    text: "x",
    buttons: [],
    choices: [],
    progress: "x",
    expiresAt: NOW,
  } as const;
  await readGated(d, key);
  await requestPerson(d, { ...key, id: "appr_a", ...asking }, NOW, TIMINGS);
  await readDecision(d, "appr_a");
  await markWoken(d, ["appr_a"], NOW);
  await db.prepare("UPDATE approvals SET state = 'open', expires_at = 0").run();
  await expireApprovals(d, "task_a", { call: "x", spending: "x" }, NOW, TIMINGS);
  await dropApprovals(d, "task_a", "x", NOW, TIMINGS);
  await pauseWaiting(d, { taskId: "task_a", version: 1 }, NOW, TIMINGS);
  await listApprovals(d, CALLER, "open");
  await readApproval(d, CALLER, "appr_a");
  const deciding = { caller: CALLER, id: "appr_a", outcome: "x", key: "k" };
  for (const verdict of [{ state: "approved" }, { state: "answered", text: "x" }] as const)
    await decideApproval(d, { ...deciding, verdict }, NOW, TIMINGS);
  await readPolicy(d, "default");
  await readOwnPolicy(d, CALLER);
  await setPolicy(d, CALLER, DEFAULT_POLICY);
}

async function callAsReply(): Promise<void> {
  const d = recorder;
  const lease = { replyId: "task_a", token: "t" };
  await leaseReply(d, lease, NOW, TIMINGS);
  await announceMessage(d, lease, 1);
  await announcePing(d, lease);
  await recordMessage(d, lease, { part: 0, externalId: "1" }, NOW, TIMINGS);
  await recordAbsent(d, lease, 0);
  for (const failed of [true, false])
    await postponeReply(d, lease, { version: 1, revision: 1, ringAt: NOW, notBefore: 0, failed });
  await parkMisconfigured(d, lease, { version: 1, reason: "x" }, NOW);
  await settleReply(d, lease, 1, { state: "delivered", reason: null, externalIds: [] }, NOW);
  await dropReplyDoorbell(d, "task_a", 1);
}

async function callAsClock(): Promise<void> {
  const d = recorder;
  await takeDue(d, NOW, TIMINGS);
  await parkUnreadable(d, { key: "k", body: "b", reason: "r", now: NOW });
  for (const queue of ["inbound", "tasks"] as const)
    await parkAndTell(d, { queue, key: "x" }, { reason: "x", text: "x" }, NOW, TIMINGS);
  await listDeadLetters(d, CALLER);
  await readDeadLetter(d, CALLER, { queue: "inbound", key: "inb_a" });
  await unpark(d, { queue: "inbound", key: "inb_a" }, null, NOW, TIMINGS);
  await discard(d, { queue: "inbound", key: "inb_a" }, NOW);
  await noteSign(d, { name: "clock", version: "v", now: NOW });
  await readStatus(d, CALLER);
  await watch(d, { webhooks: [], sinks: ["chat"], version: "v", isLate: false }, NOW, TIMINGS);
  await isWatchLate(d, NOW, TIMINGS);
  const notice = {
    kind: "clock",
    subject: "sweep",
    revision: 1,
    state: "firing",
    detail: "x",
    created_at: NOW,
  } as const;
  await settleNotice(d, { ...notice, sink: "chat", attempts: 1 }, "told");
  const address = { channel: "telegram", chatId: "1" } as const;
  const said = { replyId: "alert_a", tenantId: "default", conversationId: "conv_x", address, text: "x" };
  await tellChat(d, notice, "chat", said, NOW, TIMINGS);
  await purge(d, NOW + 2 * TIMINGS.task_kept_ms, TIMINGS);
  await listUnnamed(d, [SHA256]);
}

it("searches, and never scans", async () => {
  await callEverything();
  expect(prepared.size).toBeGreaterThan(60);
  const tables = (
    await rows<{ name: string }>(db, "SELECT name FROM sqlite_master WHERE type = 'table'")
  ).map(({ name }) => name);
  const scans: string[] = [];
  for (const sql of prepared) {
    const parameters = Math.max(
      (sql.match(/\?(?!\d)/g) ?? []).length,
      ...[...sql.matchAll(/\?(\d+)/g)].map(([, n]) => Number(n)),
      0,
    );
    const plan = await rows<{ detail: string }>(
      db,
      `EXPLAIN QUERY PLAN ${sql}`,
      ...Array.from({ length: parameters }, () => null),
    );
    for (const { detail } of plan) {
      // Few calls bring images, and few tasks are active.
      if (/USING INDEX (?:calls_with_images|tasks_active_of_sender)$/.test(detail)) continue;
      const [, name = ""] = /^SCAN (\w+)/.exec(detail) ?? [];
      // Aliases are followed to their table.
      const table = tables.includes(name)
        ? name
        : (new RegExp(`(\\w+) (?:AS )?${name}\\b`).exec(sql)?.[1] ?? "");
      if (name !== "" && tables.includes(table) && !SMALL.has(table)) scans.push(`${detail}\n${sql}`);
    }
  }
  expect(scans).toEqual([]);
});
