/** What many tests need and none is about: an address, an event, a turn. */
import type { StoredFile } from "../../shared/contracts/file.ts";
import type { InboundEvent } from "../../shared/contracts/inbound.ts";
import { runCode } from "../../shared/contracts/tools/run-code.ts";
import type { Turn } from "../../shared/contracts/turn.ts";
import type { AcceptedInbound } from "../../shared/store/receive.ts";
import type { Caller } from "../../shared/store/statements/guards.ts";
import type { NewInbound } from "../../shared/store/inbound.ts";

/** A private chat, as it is stored. */
export const ADDRESS = JSON.stringify({ channel: "telegram", chatId: "1" });

/** Who has the key whose hash is "h", which may do everything. */
export const CALLER: Caller = { keyHash: "h", scopes: [], now: 1 };

/** Words in a private chat. */
function messageEvent(text: string): InboundEvent {
  return {
    kind: "message",
    dedupKey: text,
    address: { channel: "telegram", chatId: "1" },
    sender: { id: "1" },
    isGroup: false,
    messageId: "7",
    text,
  };
}

/** The same, as ingress has accepted it. */
export function acceptedMessage(id: string, conversationId: string): AcceptedInbound {
  const origin = { tenantId: "default", channel: "telegram", raw: "{}", parkedReason: null };
  return { id, conversationId, event: messageEvent(id), ...origin };
}

/** A turn with so many calls. */
function turnOf(text: string, calls = 0): Turn {
  return {
    text,
    calls: Array.from({ length: calls }, () => ({ tool: runCode.name, input: { code: "6 * 7" } })),
    model: "rules",
    usage: { tokensIn: 0, tokensOut: 0, costUsd: null },
    error: null,
  };
}

/** What a call brought back: words, and perhaps files. */
export function observed(
  text: string,
  { ok = true, files = [] }: { ok?: boolean; files?: StoredFile[] } = {},
) {
  return { ok, text, images: [], output: text, value: null, error: ok ? null : text, files };
}

/** An inbound as triage reads it. */
export function newInbound(id: string, conversationId: string): NewInbound {
  const row = { id, version: 1, tenant_id: "default", conversation_id: conversationId };
  return {
    ...row,
    event: "{}",
    received_at: 1,
    unread: 0,
    unread_chars: 0,
    is_active: 0,
    sender_active: 0,
    waits: null,
  };
}

/** Where it is answered. */
export function whereOf(inbound: NewInbound) {
  return { inbound, address: ADDRESS, channel: "telegram" as const, externalId: "7" };
}

/** A turn as its planner stores it. */
export function plannedTurn(claim: { taskId: string; turn: number; claim: string }, text: string, calls = 0) {
  const nothing = { untold: "", files: [], read: [], gates: [], spent: null };
  return { ...claim, ...nothing, planned: turnOf(text, calls), latencyMs: 1, until: 0 };
}
