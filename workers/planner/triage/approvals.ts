/** What people say about what a call waits for: by a button, by a command, or by a message. */
import type { Command } from "../../../shared/contracts/command.ts";
import type { InboundEvent } from "../../../shared/contracts/inbound.ts";
import type { Decision, DecisionOf } from "../../../shared/store/decision.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { parseApprovalButton } from "../../../shared/strings.ts";
import { formatCode, toOneLine } from "../../../shared/text.ts";
import type { Speaker, Where } from "./where.ts";

const VERBS = {
  approve: { state: "approved", outcome: "✅ **Approved**", doneText: "Approved." },
  deny: { state: "denied", outcome: "⛔ **Denied**", doneText: "Denied." },
  answer: { state: "answered", outcome: "💬 **Answered**", doneText: "Thank you." },
} as const;

function speak(verb: keyof typeof VERBS, { by, isAdmin, name }: Speaker) {
  const { outcome, doneText } = VERBS[verb];
  const who = name === undefined ? "" : ` by ${formatCode(toOneLine(name, LIMITS.person_name_chars_max))}`;
  return { by, isAdmin, doneText, outcome: `${outcome}${who}.` };
}

/** Null: the button decides nothing. */
export function decideByButton(
  { callbackId, data }: Extract<InboundEvent, { kind: "callback" }>,
  where: Where,
  speaker: Speaker,
): Decision | null {
  const pressed = parseApprovalButton(data);
  if (pressed === null) return null;
  const target = { id: pressed.id };
  const spoken = { kind: "decide" as const, ...where, target, callbackId, ...speak(pressed.verb, speaker) };
  switch (pressed.verb) {
    case "approve":
      return { ...spoken, verdict: { state: "approved" } };
    case "deny":
      return { ...spoken, verdict: { state: "denied", text: null } };
    case "answer":
      return { ...spoken, verdict: { state: "answered", choice: pressed.choice } };
  }
}

/** A reason may begin with a word that could be an id: those have a digit nearly always, and the one that waits here is known. */
function isWord(named: string | undefined, { inbound }: Where): boolean {
  const isWaiting = inbound.waits?.id.startsWith(`appr_${named?.toLowerCase()}`) === true;
  return named !== undefined && !/\d/.test(named) && !isWaiting;
}

const ID = /^(?:appr_)?([0-9a-hjkmnp-tv-z]{6,26})$/i;

/** `/approve [id]`, `/deny [id] [why]`: without an id, the only one that is open. What is no id decides nothing by accident. */
export function decideByCommand(
  verb: "approve" | "deny",
  { args }: Command,
  where: Where,
  speaker: Speaker,
): Decision {
  const [first = "", ...rest] = args.split(/\s+/);
  const [, named] = ID.exec(first) ?? [];
  const id = verb === "deny" && isWord(named, where) ? undefined : named;
  const spoken = { kind: "decide" as const, ...where, callbackId: null, ...speak(verb, speaker) };
  const target = id === undefined ? ("only" as const) : { prefix: `appr_${id.toLowerCase()}` };
  if (verb === "approve") {
    const isClear = args === "" || (id !== undefined && rest.length === 0);
    const text =
      "Send /approve alone, or with an id as it is shown, such as `/approve 7k3m9q`. Nothing was approved.";
    return isClear
      ? { ...spoken, target, verdict: { state: "approved" } }
      : { kind: "reply", ...where, text };
  }
  const why = id === undefined ? args : args.slice(first.length).trim();
  return { ...spoken, target, verdict: { state: "denied", text: why === "" ? null : cut(why) } };
}

const cut = (text: string) => toOneLine(text, LIMITS.error_chars_max);

/** A message to a task that waits: an answer, or a denial with its words as the reason. Of somebody who may not it is a message as any other. */
export function respond(message: DecisionOf<"message">, speaker: Speaker): Decision {
  const { waits } = message.inbound;
  const { content } = message;
  if (waits === null || content.type !== "text" || content.command !== undefined) return message;
  // Somebody else's words decide nothing.
  if (content.forwardedFrom !== undefined) return message;
  const isTheirs = waits.sender === speaker.by;
  const mayDecide =
    speaker.isAdmin || (isTheirs && (waits.kind === "question" || waits.approvers === "person"));
  if (!mayDecide) return message;
  const words = content.text === "" ? "(what comes with my next message)" : content.text;
  const target = { id: waits.id };
  if (waits.kind === "question") {
    const { doneText: _, ...spoken } = speak("answer", speaker);
    return { ...message, kind: "respond", target, ...spoken, verdict: { state: "answered", text: words } };
  }
  const { doneText: _, ...spoken } = speak("deny", speaker);
  return { ...message, kind: "respond", target, ...spoken, verdict: { state: "denied", text: cut(words) } };
}
