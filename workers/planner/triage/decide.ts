/** What is to come of one event of somebody who may, or may not, talk to us. */
import type { InboundEvent, SaidEvent } from "../../../shared/contracts/inbound.ts";
import type { Command } from "../../../shared/contracts/command.ts";
import { resolveCommand } from "../../../shared/contracts/tools/index.ts";
import { newCode, changeIdKind } from "../../../shared/ids.ts";
import type { Decision } from "../../../shared/store/decision.ts";
import { getChannel } from "../../../shared/channels/index.ts";
import { formatCode } from "../../../shared/text.ts";
import { STOPPED, parseStopButton, UNREAD_TEXT } from "../../../shared/strings.ts";
import type { Env } from "../env.ts";
import { type Access, locate, type ReadInbound } from "../access.ts";
import { decideByButton, decideByCommand, respond } from "./approvals.ts";
import { answerCommand } from "./commands.ts";
import type { Speaker, Where } from "./where.ts";

export async function decide(env: Env, { inbound, event }: ReadInbound, access: Access): Promise<Decision> {
  const { channel } = event.address;
  const externalId = event.kind === "message" || event.kind === "command" ? event.messageId : null;
  const where: Where = { inbound, address: JSON.stringify(event.address), channel, externalId };
  const ignore = (reason: string): Decision => ({ kind: "ignore", inbound, reason });
  if (event.kind === "group_migrated")
    return { kind: "migrate_group", inbound, channel, from: locate(event).chatId, to: event.toChatId };
  if (access.kind === "refused") return ignore(access.reason);
  if (access.kind === "admitted") {
    const speaker = readSpeaker(event, access.isAdmin);
    return event.kind === "callback"
      ? (decideByButton(event, where, speaker) ?? pressButton(event, where))
      : decideForAdmitted(env, event, where, speaker);
  }
  if (event.kind === "callback" || event.edited === true) return ignore("nothing that was said to us");
  if (access.kind === "stranger") {
    const code = newCode();
    return { kind: "issue_code", ...where, personId: event.sender.id, code, text: introduction(env, code) };
  }
  if (access.kind === "member_in_strange_group") {
    const code = newCode();
    return { kind: "issue_code", ...where, personId: locate(event).chatId, code, text: groupHint(env, code) };
  }
  if (readCommand(event)?.name === "admit") return admitGroup(event, where);
  const text = "I do not know this group yet. You are an admin: send /admit to let it talk to me.";
  return { kind: "reply", ...where, text };
}

const readCommand = (event: InboundEvent) => (event.kind === "command" ? event.command : null);

async function decideForAdmitted(
  env: Env,
  event: SaidEvent,
  where: Where,
  speaker: Speaker,
): Promise<Decision> {
  const { inbound } = where;
  const { isAdmin } = speaker;
  const { messageId: externalId, text, unreadable = [] } = event;
  const isEmpty = text === "" && (event.files ?? []).length === 0;
  const command = readCommand(event);
  // A command that a tool carries out is work, as words are.
  const isControl = command !== null && resolveCommand(command) === null;
  const content = makeContent(event);
  if (event.edited === true) {
    // What has no words moves on by itself, as a shared location does; a command is not carried out twice.
    if (isEmpty || isControl)
      return { kind: "ignore", inbound, reason: "an edited command, or an edit without words" };
    return { kind: "edit", inbound, externalId, content };
  }
  if (isEmpty) return { kind: "reply", ...where, text: cannotRead(unreadable) };
  if (command?.name === "admit" && event.isGroup && isAdmin) return admitGroup(event, where);
  if (command?.name === "promote") return promote(event, command, where, isAdmin);
  if (isControl && (command.name === "approve" || command.name === "deny"))
    return decideByCommand(command.name, command, where, speaker);
  if (isControl) return answerCommand(env.DB, where, command, speaker);
  const ids = { messageId: changeIdKind(inbound.id, "msg"), taskId: changeIdKind(inbound.id, "task") };
  return respond({ kind: "message", ...where, ...ids, sender: speaker.by, content }, speaker);
}

function makeContent(event: SaidEvent) {
  const { text, forwardedFrom, quote, sender, files = [], unreadable = [] } = event;
  return {
    type: "text" as const,
    text,
    ...(event.kind === "command" && { command: event.command }),
    ...(forwardedFrom !== undefined && { forwardedFrom }),
    ...(quote !== undefined && { quote }),
    ...(sender.name !== undefined && { from: sender.name }),
    ...(files.length > 0 && { files }),
    ...(unreadable.length > 0 && { unreadable }),
  };
}

function pressButton(
  { callbackId, data }: Extract<InboundEvent, { kind: "callback" }>,
  where: Where,
): Decision {
  // Data that is no task's stops none.
  const taskId = parseStopButton(data) ?? "none";
  const idleText =
    taskId === "none" ? "This button does nothing any more." : "There is nothing of yours to stop here.";
  const stop = { taskIdPrefix: taskId, text: STOPPED, unreadText: UNREAD_TEXT };
  return { kind: "press", ...where, callbackId, ...stop, doneText: "Stopped.", idleText };
}

function admitGroup(event: InboundEvent, where: Where): Decision {
  const by = nameSender(event);
  const text = "Everybody in this group may talk to me now.";
  return { kind: "admit_group", ...where, groupId: locate(event).chatId, by, text };
}

/** Whoever is answered, or named by their id. */
function promote(event: SaidEvent, { args }: Command, where: Where, isAdmin: boolean): Decision {
  const reply = (text: string): Decision => ({ kind: "reply", ...where, text });
  if (!isAdmin) return reply("Only an admin of mine may do that.");
  const personId = args === "" ? event.answersTo?.id : args;
  if (personId === undefined || !getChannel(where.channel).personId.test(personId))
    return reply("Answer a message of theirs with /promote, or give their id, such as `/promote 218485655`.");
  const name = args === "" ? event.answersTo?.name : undefined;
  const text = `${name ?? formatCode(personId)} is an admin of mine now: they may let groups in, and make others admins.`;
  return { kind: "promote", ...where, personId, by: nameSender(event), text };
}

/** As the store and the audit name them. */
const nameSender = ({ address, sender }: InboundEvent) => `${address.channel}:${sender.id}`;

const readSpeaker = (event: InboundEvent, isAdmin: boolean): Speaker => ({
  by: nameSender(event),
  isAdmin,
  name: event.isGroup ? (event.sender.name ?? event.sender.id) : undefined,
});

/** As whoever runs this installation types it: one on Cloudflare has a name. */
const pairing = ({ INSTALLATION: name }: Env, code: string) =>
  `\`npm run pair -- ${name ? `--name ${name} ` : ""}${code}\``;

const introduction = (env: Env, code: string) =>
  `I do not know you yet. Whoever runs this installation can let you in with ${pairing(env, code)}; then write again.`;

const groupHint = (env: Env, code: string) =>
  `I do not know this group yet. An admin of mine can let it in by sending /admit here, or whoever runs this installation with ${pairing(env, code)}.`;

/** Said rather than passed over in silence. */
function cannotRead(unreadable: readonly string[]): string {
  const [what = "no words"] = unreadable;
  return `I cannot read this yet (${what.replaceAll("_", " ")}). Write what you need.`;
}
