/** What many tests need and none is about: an address, an event, a turn. */
import type { StoredFile } from "../../shared/contracts/file.ts";
import type { InboundEvent } from "../../shared/contracts/inbound.ts";
import { runCode } from "../../shared/contracts/tools/run-code.ts";
import type { Turn } from "../../shared/contracts/turn.ts";
import type { AcceptedInbound } from "../../shared/store/inbound.ts";

/** A private chat, as it is stored. */
export const ADDRESS = JSON.stringify({ channel: "telegram", chatId: "1" });

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
export function turnOf(text: string, calls = 0): Turn {
  return {
    text,
    calls: Array.from({ length: calls }, () => ({ tool: runCode.name, input: { code: "6 * 7" } })),
    model: "rules",
    usage: { tokensIn: 0, tokensOut: 0, costUsd: null },
  };
}

/** What a call brought back: words, and perhaps files. */
export function observed(
  text: string,
  { ok = true, files = [] }: { ok?: boolean; files?: StoredFile[] } = {},
) {
  return { ok, text, images: [], files };
}
