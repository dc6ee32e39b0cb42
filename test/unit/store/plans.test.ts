/** No statement reads a whole table: the ten-thousandth message must cost what the first did. */
import { beforeAll, expect, it } from "vitest";
import { TIMINGS } from "../../../shared/limits.ts";
import { cancelTask, createTask, listTasks, steerTask } from "../../../shared/store/api.ts";
import { addApiKey } from "../../../shared/store/api-keys.ts";
import { findArtifact } from "../../../shared/store/artifacts.ts";
import { attachmentsOf, recordAttachments, recordRefused } from "../../../shared/store/attachments.ts";
import { showProgress, startCall, storeObservation } from "../../../shared/store/calls.ts";
import {
  discard,
  listDeadLetters,
  readDeadLetter,
  unpark,
  parkAndTell,
} from "../../../shared/store/dead-letters.ts";
import { endTask } from "../../../shared/store/end.ts";
import { acceptInbound, newInbound, purgeInbound } from "../../../shared/store/inbound.ts";
import { narrate } from "../../../shared/store/narration.ts";
import { deleteDoorbell, park, parkUnreadable, takeDue } from "../../../shared/store/outbox.ts";
import { admitByCode, dismiss, listPeople, readRoles } from "../../../shared/store/people.ts";
import { followTask, readReceipt } from "../../../shared/store/receipts.ts";
import {
  announce,
  announcePing,
  dropReplyDoorbell,
  recordAbsent,
  recordCreated,
  settleReply,
  leaseReply,
} from "../../../shared/store/replies.ts";
import { lookAtTasks, recentTasks, releaseLook } from "../../../shared/store/tasks.ts";
import type { Decision } from "../../../shared/store/decision.ts";
import { carryOut } from "../../../shared/store/triage.ts";
import { claimTurn, releaseTurn, storeTurn } from "../../../shared/store/turns.ts";
import { acceptedMessage, ADDRESS, observed, turnOf } from "../builders.ts";
import { openDatabase, rows } from "../database.ts";

/** Tables of a few rows, and those whose size is what is under way now. */
const SMALL = new Set(["tenants", "api_keys"]);

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
const INBOUND = {
  id: "inb_a",
  version: 1,
  tenant_id: "default",
  conversation_id: "conv_a",
  event: "{}",
  received_at: 1,
};
const WHERE = { inbound: INBOUND, address: ADDRESS, channel: "telegram" };
const STOP = { taskIdPrefix: "task_", text: "", unreadText: "", idleText: "" };
const DECISIONS: Decision[] = [
  { kind: "message", ...WHERE, messageId: "msg_a", externalId: "7", content: CONTENT },
  { kind: "edit", inbound: INBOUND, externalId: "7", content: CONTENT },
  { kind: "reply", ...WHERE, text: "x" },
  { kind: "stop", ...WHERE, ...STOP },
  { kind: "new", ...WHERE, text: "x" },
  { kind: "introduce", ...WHERE, personId: "1", code: "AAAA-AAAA", text: "x" },
  { kind: "admit", ...WHERE, groupId: "-1", by: "telegram:1", text: "x" },
  { kind: "move", inbound: INBOUND, channel: "telegram", from: "-1", to: "-2" },
  { kind: "button", ...WHERE, ...STOP, callbackId: "q", doneText: "x" },
  { kind: "park", inbound: INBOUND, reason: "x" },
];

/** Every statement of the store is prepared once; what the calls answer does not matter here. */
async function callEverything(): Promise<void> {
  const d = recorder;
  const lease = { replyId: "task_a", token: "t" };
  const claim = { taskId: "task_a", n: 1, claim: "c", until: NOW };
  const turn = turnOf("x");
  const shown = { version: 1, revision: 1, lookAt: NOW, failed: false };
  const outcome = { state: "delivered" as const, reason: null, externalIds: [] };
  const ids = { taskId: "task_b", messageId: "msg_b", conversationId: "conv_b" };
  await addApiKey(d, { hash: "h", tenantId: "default", label: "x", now: NOW });
  await createTask(
    d,
    { keyHash: "h", tenantId: "default", ...ids, address: ADDRESS, content: CONTENT },
    NOW,
    TIMINGS,
  );
  await steerTask(d, { keyHash: "h", taskId: "task_b", messageId: "msg_c", content: CONTENT }, NOW);
  await listTasks(d, { keyHash: "h", state: null, before: null });
  await readReceipt(d, { keyHash: "h", taskId: "task_b" });
  await readRoles(d, { tenantId: "default", channel: "telegram", ids: ["1"] });
  await listPeople(d, "h");
  await admitByCode(d, { keyHash: "h", code: "AAAA-AAAA", role: "member" }, NOW);
  await dismiss(d, { keyHash: "h", channel: "telegram", externalId: "1" }, NOW);
  await followTask(d, { keyHash: "h", taskId: "task_b", after: 0 });
  await acceptInbound(d, [acceptedMessage("inb_a", "conv_a")], NOW, TIMINGS);
  await newInbound(d, ["inb_a"]);
  await carryOut(d, DECISIONS, NOW, TIMINGS);
  await lookAtTasks(d, ["task_a"], NOW, TIMINGS);
  await releaseLook(d, "task_a");
  await recentTasks(d, { conversationId: "conv_a", idPrefix: "task_", limit: 1 });
  await claimTurn(d, { ...claim, now: NOW });
  await narrate(d, { ...claim, delta: "x", shown: "x", now: NOW });
  await storeTurn(d, { ...claim, turn, untold: "", files: FILES, read: [], latencyMs: 1, now: NOW });
  await attachmentsOf(d, ["msg_a"]);
  await recordAttachments(d, [
    { message_id: "msg_a", i: 0, sha256: SHA256, mime: "", bytes: 1, failure: null },
  ]);
  await recordRefused(d, ["msg_a"], "x");
  await findArtifact(d, { taskId: "task_a", sha256: SHA256, keyHash: "h" });
  await releaseTurn(d, { ...claim, reason: "x", retryAfterMs: 1, now: NOW });
  await startCall(d, { taskId: "task_a", n: 1, k: 1 }, { until: NOW, now: NOW });
  await showProgress(d, "task_a", "x");
  await storeObservation(d, { taskId: "task_a", n: 1, k: 1 }, observed("", { files: FILES }), {
    latencyMs: 1,
    now: NOW,
  });
  await endTask(d, { taskId: "task_a", state: "failed", endedBy: "x", answer: { text: "x" } }, NOW, TIMINGS);
  await leaseReply(d, lease, NOW, TIMINGS);
  await announce(d, lease, 1);
  await announcePing(d, lease);
  await recordCreated(d, lease, { part: 0, externalId: "1" }, NOW, TIMINGS);
  await recordAbsent(d, lease, 0);
  await settleReply(d, lease, { ...shown, outcome: null }, NOW);
  await settleReply(d, lease, { ...shown, outcome }, NOW);
  await dropReplyDoorbell(d, "task_a", 1);
  await cancelTask(
    d,
    { keyHash: "h", taskId: "task_b", endedBy: "x", text: "", unreadText: "" },
    NOW,
    TIMINGS,
  );
  await takeDue(d, NOW, TIMINGS);
  await park(d, { queue: "inbound", key: "inb_a" }, "x", NOW);
  await parkUnreadable(d, { key: "k", body: "b", reason: "r", now: NOW });
  for (const queue of ["inbound", "tasks"] as const)
    await parkAndTell(d, { queue, key: "x" }, { reason: "x", text: "x" }, NOW, TIMINGS);
  await listDeadLetters(d, "h");
  await readDeadLetter(d, "h", { queue: "inbound", key: "inb_a" });
  await unpark(d, { queue: "inbound", key: "inb_a" }, null, NOW, TIMINGS);
  await discard(d, { queue: "inbound", key: "inb_a" }, NOW);
  await deleteDoorbell(d, "tasks", "task_a", 1).run();
  await purgeInbound(d, NOW, TIMINGS);
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
