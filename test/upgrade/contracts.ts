/**
 * What one version leaves for the next in queues, rows, Workflow instances and calls between Workers, in each of its shapes. `record.ts` writes
 * the samples down as they are; the file of each released version is kept, and every later version reads it.
 */
import type * as z from "zod/mini";
import { Admission, PromptTask, SteeringMessage } from "../../shared/contracts/api.ts";
import { ReplyAddress } from "../../shared/contracts/channel.ts";
import { CodeRequest } from "../../shared/contracts/code.ts";
import { Doorbell } from "../../shared/contracts/doorbell.ts";
import { TaskEvent } from "../../shared/contracts/event.ts";
import { ReceivedFile, StoredFile } from "../../shared/contracts/file.ts";
import { InboundEvent } from "../../shared/contracts/inbound.ts";
import { Scope } from "../../shared/contracts/key.ts";
import { MessageContent } from "../../shared/contracts/message.ts";
import { FetchedFile } from "../../shared/contracts/rpc.ts";
import { TaskError, TaskState } from "../../shared/contracts/task.ts";
import { Observation } from "../../shared/contracts/tool.ts";
import { ToolCall, ToolTask } from "../../shared/contracts/tools/index.ts";
import { NextTurn } from "../../shared/contracts/turn.ts";

interface Contract {
  readonly schema: z.ZodMiniType;
  readonly samples: readonly unknown[];
}

const contract = <Schema extends z.ZodMiniType>(
  schema: Schema,
  samples: readonly z.input<Schema>[],
): Contract => ({
  schema,
  samples,
});

const address = { channel: "telegram", chatId: "218485655" } as const;
const file = { sha256: "9f".repeat(32), name: "chart.png", mime: "image/png", bytes: 12_345 };
const received = {
  kind: "document",
  id: "BQADBAADBQ",
  name: "invoice.pdf",
  mime: "application/pdf",
} as const;
const origin = {
  dedupKey: "892252934:218485655",
  address,
  sender: { id: "218485655", name: "Ada" },
  isGroup: true,
};
const said = { ...origin, messageId: "6557", text: "Compute it" };
const whole = {
  ...said,
  edited: true,
  albumId: "7",
  isToOthers: true,
  forwardedFrom: "Grace",
  answersTo: { id: "4839574812", name: "Errand" },
  quote: "as you said",
  files: [received],
  unreadable: ["voice"],
};
const call = { tool: "run_code", input: { code: "6 * 7" } } as const;
const refused = {
  tool: "invalid_call",
  input: { name: "fly", input: {}, reason: "there is no such tool" },
} as const;
const question: ToolCall = { tool: "ask_user", input: { question: "Which?", choices: ["this", "that"] } };
const happened = { seq: 5, at: 1_790_000_000_000 };
const nowhere = { turn: null, call: null, attempt: null };
const onTurn = { turn: 1, call: null, attempt: null };
const onCall = { turn: 1, call: 2, attempt: null };

export const CONTRACTS: Readonly<Record<string, Contract>> = {
  Doorbell: contract(Doorbell, [
    { queue: "inbound", key: "inb_3k7q2m5x8r1t6w9y4b0c2d5f7g" },
    { queue: "tasks", key: "task_3k7q2m5x8r1t6w9y4b0c2d5f7g" },
    { queue: "replies", key: "task_3k7q2m5x8r1t6w9y4b0c2d5f7g" },
  ]),
  InboundEvent: contract(InboundEvent, [
    { kind: "message", ...said },
    { kind: "message", ...whole },
    { kind: "command", ...said, command: { name: "run", args: "6 * 7" } },
    {
      kind: "callback",
      ...origin,
      messageId: "6557",
      data: "stop:task_3k7q2m5x8r1t6w9y4b0c2d5f7g",
      callbackId: "1",
    },
    { kind: "group_migrated", ...origin, toChatId: "-1001234567890" },
  ]),
  MessageContent: contract(MessageContent, [
    { type: "text", text: "How many days until spring?" },
    {
      type: "text",
      text: "/run 6 * 7",
      command: { name: "run", args: "6 * 7" },
      forwardedFrom: "Grace",
      quote: "as you said",
      from: "Ada",
      files: [received],
      unreadable: ["voice"],
    },
    { type: "call", call },
  ]),
  ReplyAddress: contract(ReplyAddress, [
    { channel: "api", name: "task_3k7q2m5x8r1t6w9y4b0c2d5f7g" },
    address,
    { ...address, threadId: "42" },
  ]),
  TaskEvent: contract(TaskEvent, [
    { ...happened, ...nowhere, type: "accepted", data: { message: "msg_1", channel: "telegram" } },
    { ...happened, ...nowhere, type: "queued", data: {} },
    { ...happened, ...nowhere, type: "revived", data: { status: "errored", nth: 1 } },
    { ...happened, turn: 1, call: null, attempt: "a1", type: "text", data: { text: "Spring is" } },
    { ...happened, ...onTurn, type: "planned", data: { model: "m", calls: 2, read: ["msg_1"] } },
    { ...happened, ...onTurn, type: "delayed", data: { reason: "the model is busy", retry_after_ms: 2_000 } },
    {
      ...happened,
      ...onCall,
      type: "requested",
      data: { approval: "appr_1", kind: "approval", expires_at: 1_790_000_000_000 },
    },
    {
      ...happened,
      ...onCall,
      type: "decided",
      data: { approval: "appr_1", state: "denied", by: "telegram:1", reason: "no" },
    },
    {
      ...happened,
      ...onCall,
      type: "decided",
      data: { approval: "appr_1", state: "expired", by: null, reason: null },
    },
    { ...happened, ...onCall, type: "started", data: { tool: "run_code" } },
    { ...happened, ...onCall, type: "observed", data: { ok: true, latency_ms: 12, files: ["art_1"] } },
    { ...happened, ...nowhere, type: "ended", data: { state: "succeeded", by: "turn:1", reason: null } },
    { ...happened, ...nowhere, type: "delivered", data: { messages: ["11"], reason: null } },
    { ...happened, ...nowhere, type: "undeliverable", data: { messages: [], reason: "blocked" } },
  ]),
  TaskState: contract(TaskState, [
    "queued",
    "running",
    "waiting",
    "succeeded",
    "failed",
    "cancelled",
    "timed_out",
  ]),
  TaskError: contract(
    TaskError,
    (["tool_failed", "no_model", "refused", "model_failed", "too_many_turns", "timed_out", "stuck"] as const)
      .map((code): z.input<typeof TaskError> => ({ code, message: "It failed." }))
      .concat({ code: "model_failed", message: "check the key", misconfigured: true }),
  ),
  ToolCall: contract(ToolCall, [call, refused, question]),
  Observation: contract(Observation, [
    { ok: true, text: "42", error: null, images: [] },
    { ok: false, text: "Not done.", error: "Not done.", images: [file] },
  ]),
  NextTurn: contract(NextTurn, [
    { kind: "turn", calls: [{ call: 1, tool: "run_code", title: "6 * 7" }] },
    { kind: "turn", calls: [{ call: 1, tool: "run_code", title: "6 * 7", waits: true }] },
    { kind: "inactive", state: "cancelled" },
    { kind: "inactive", state: null },
    { kind: "transient", reason: "the model is busy", retryAfterMs: 2_000 },
    { kind: "permanent", reason: "there is no model" },
    { kind: "permanent", reason: "check the key", misconfigured: true },
  ]),
  FetchedFile: contract(FetchedFile, [
    { kind: "kept", file },
    { kind: "transient", reason: "it is slow" },
    { kind: "permanent", reason: "it is gone" },
  ]),
  ReceivedFile: contract(ReceivedFile, [received, { ...received, kind: "photo" }]),
  StoredFile: contract(StoredFile, [file]),
  CodeRequest: contract(CodeRequest, [{ code: "6 * 7", wallMs: 5_000, startWithinMs: 60_000 }]),
  Scope: contract(Scope, ["tasks", "tasks:read", "people", "dead-letters", "approvals", "admin"]),
  PromptTask: contract(PromptTask, [{ prompt: "/run 6 * 7" }, { prompt: "And now?", conversation: "kept" }]),
  ToolTask: contract(ToolTask, [{ ...call, conversation: "kept" }]),
  SteeringMessage: contract(SteeringMessage, [{ text: "In Celsius, please." }]),
  Admission: contract(Admission, [{ code: "7K3M-9QXT", role: "admin" }]),
};

/** The samples alone, by contract: what is kept of a version. */
export function listSamples(): Record<string, readonly unknown[]> {
  return Object.fromEntries(Object.entries(CONTRACTS).map(([name, { samples }]) => [name, samples]));
}
