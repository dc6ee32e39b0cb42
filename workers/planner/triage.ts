/** Triage: who may, which conversation, command or message, which task. A batch at a time, and never a model call. */
import { timingsOf } from "../../shared/config.ts";
import { InboundEvent } from "../../shared/contracts/inbound.ts";
import { newCode, withKind } from "../../shared/ids.ts";
import { log, type LogLevel } from "../../shared/log.ts";
import type { LookAgain } from "../../shared/queue/consume.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { newInbound } from "../../shared/store/inbound.ts";
import { carryOut, type Decision } from "../../shared/store/triage.ts";
import { STOPPED, taskOfStopButton, UNREAD_WORDS } from "../../shared/words.ts";
import { type Access, accessOf, type Heard } from "./access.ts";
import { withoutYoungAlbums } from "./albums.ts";
import { answerCommand, parseCommand, type Where } from "./commands.ts";
import { bellsOf, type Env } from "./env.ts";

const LEVELS: Partial<Record<Decision["kind"], LogLevel>> = { ignore: "warn", park: "error" };

/** Looks at inbound rows: decides what is to come of each, and carries all of it out in one batch. */
export async function triage(env: Env, inboundIds: readonly string[]): Promise<LookAgain> {
  const started = Date.now();
  const rows = await newInbound(env.DB, inboundIds);
  const all = rows.map((inbound) => ({ inbound, parsed: InboundEvent.safeParse(parseJson(inbound.event)) }));
  const { read, again } = withoutYoungAlbums(all, timingsOf(env).album_ms, started);
  if (read.length === 0) return again;
  const heard = read.flatMap(({ inbound, parsed }) =>
    parsed.success ? [{ inbound, event: parsed.data }] : [],
  );
  const access = await accessOf(env, heard);
  const albums = new Set(heard.filter(({ event }) => event.isAside !== true).map(albumOf));
  const decisions = await Promise.all(
    read.map(({ inbound, parsed }) => {
      const one = parsed.success ? { inbound, event: parsed.data } : null;
      if (one === null) return park(inbound);
      return isSaidToOthers(one, albums) ? ignore(inbound, "said to others") : decide(env, one, access(one));
    }),
  );
  const doorbells = await carryOut(env.DB, decisions, Date.now(), timingsOf(env));
  await ring(bellsOf(env), doorbells, "planner");
  for (const decision of decisions) report(decision, Date.now() - started);
  return again;
}

const albumOf = ({ inbound, event }: Heard) => `${inbound.conversation_id} ${event.albumId}`;

/** A picture of an album goes with the one that speaks to the bot, if they were heard together. */
function isSaidToOthers(one: Heard, albums: ReadonlySet<string>): boolean {
  return one.event.isAside === true && !albums.has(albumOf(one));
}

function ignore(inbound: Decision["inbound"], reason: string): Promise<Decision> {
  return Promise.resolve({ kind: "ignore", inbound, reason });
}

function park(inbound: Decision["inbound"]): Promise<Decision> {
  return Promise.resolve({
    kind: "park",
    inbound,
    reason: "the stored event is not of the inbound contract",
  });
}

async function decide(env: Env, heard: Heard, access: Access): Promise<Decision> {
  const { inbound, event } = heard;
  const where = { inbound, address: JSON.stringify(event.address), channel: event.channel };
  if (event.movedTo !== undefined)
    return { kind: "move", inbound, channel: event.channel, from: event.address.chatId, to: event.movedTo };
  if (access.kind === "refused") return { kind: "ignore", inbound, reason: access.reason };
  if (access.kind === "admitted") return decideForAdmitted(env, heard, where, access.isAdmin);
  if (event.kind === "callback" || event.edited === true)
    return { kind: "ignore", inbound, reason: "nothing that was said to us" };
  if (access.kind === "stranger") {
    const code = newCode();
    return { kind: "introduce", ...where, personId: event.sender.id, code, text: introduction(code) };
  }
  if (parseCommand(event.text)?.name === "admit") return admit(heard, where);
  const text = "I do not know this group yet. You are an admin: send /admit to let it talk to me.";
  return { kind: "reply", ...where, text };
}

async function decideForAdmitted(env: Env, heard: Heard, where: Where, isAdmin: boolean): Promise<Decision> {
  const { inbound, event } = heard;
  if (event.kind === "callback") return decideForButton(heard, where);
  const { messageId: externalId = null, attachments = [], files = [], text, quote } = event;
  const isEmpty = text === "" && files.length === 0;
  const command = parseCommand(text);
  const content = {
    type: "text" as const,
    text,
    ...(quote !== undefined && { quote }),
    ...(event.sender.name !== undefined && { from: event.sender.name }),
    ...(files.length > 0 && { files }),
    ...(attachments.length > 0 && { unreadable: attachments }),
  };
  if (event.edited === true) {
    // What has no words moves on by itself, as a shared location does; a command is not carried out twice.
    if (isEmpty || command !== null || externalId === null)
      return { kind: "ignore", inbound, reason: "an edited command, or an edit without words" };
    return { kind: "edit", inbound, externalId, content };
  }
  if (isEmpty) return { kind: "reply", ...where, text: unreadable(attachments) };
  if (command?.name === "admit" && event.isGroup === true && isAdmin) return admit(heard, where);
  if (command !== null) return answerCommand(env.DB, where, command);
  return { kind: "message", ...where, messageId: withKind(inbound.id, "msg"), externalId, content };
}

function decideForButton({ inbound, event: { callbackId, text } }: Heard, where: Where): Decision {
  if (callbackId === undefined) return { kind: "ignore", inbound, reason: "a button that wants no answer" };
  // Data that is no task's stops none.
  const taskId = taskOfStopButton(text) ?? "none";
  const idleText =
    taskId === "none" ? "This button does nothing any more." : "There is nothing of yours to stop here.";
  const stop = { taskIdPrefix: taskId, text: STOPPED, unreadWords: UNREAD_WORDS };
  return { kind: "button", ...where, callbackId, ...stop, doneText: "Stopped.", idleText };
}

function admit({ event }: Heard, where: Where): Decision {
  const by = `${event.channel}:${event.sender.id}`;
  const text = "Everybody in this group may talk to me now.";
  return { kind: "admit", ...where, groupId: event.address.chatId, by, text };
}

const introduction = (code: string) =>
  `I do not know you yet. Whoever runs this installation can let you in with \`npm run pair -- ${code}\`; then write again.`;

/** Said rather than passed over in silence. */
function unreadable(attachments: readonly string[]): string {
  const [what = "no words"] = attachments;
  return `I cannot read this yet (${what.replaceAll("_", " ")}). Write what you need.`;
}

function report(decision: Decision, latencyMs: number): void {
  const { inbound, kind } = decision;
  log(LEVELS[kind] ?? "info", {
    stage: "planner",
    effect: "triaged",
    decision: kind,
    key: inbound.id,
    session_id: inbound.conversation_id,
    latency_ms: latencyMs,
    ...("reason" in decision ? { detail: decision.reason } : {}),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
