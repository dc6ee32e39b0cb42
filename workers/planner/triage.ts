/** Triage: who may, which conversation, command or message, which task. A batch at a time, and never a model call. */
import { timingsOf } from "../../shared/config.ts";
import { InboundEvent } from "../../shared/contracts/inbound.ts";
import { newCode, withKind } from "../../shared/ids.ts";
import { log, type LogLevel } from "../../shared/log.ts";
import type { LookAgain } from "../../shared/queue/consume.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { newInbound } from "../../shared/store/inbound.ts";
import { carryOut, type Decision } from "../../shared/store/triage.ts";
import { type Access, accessOf, type Heard } from "./access.ts";
import { answerCommand, parseCommand, type Where } from "./commands.ts";
import { bellsOf, type Env } from "./env.ts";

const NOTHING_AGAIN: LookAgain = new Map();
const LEVELS: Partial<Record<Decision["kind"], LogLevel>> = { ignore: "warn", park: "error" };

/** Looks at inbound rows: decides what is to come of each, and carries all of it out in one batch. */
export async function triage(env: Env, inboundIds: readonly string[]): Promise<LookAgain> {
  const started = Date.now();
  const rows = await newInbound(env.DB, inboundIds);
  if (rows.length === 0) return NOTHING_AGAIN;
  const read = rows.map((inbound) => ({ inbound, parsed: InboundEvent.safeParse(parseJson(inbound.event)) }));
  const heard = read.flatMap(({ inbound, parsed }) =>
    parsed.success ? [{ inbound, event: parsed.data }] : [],
  );
  const access = await accessOf(env, heard);
  const decisions = await Promise.all(
    read.map(({ inbound, parsed }) => {
      const one = parsed.success ? { inbound, event: parsed.data } : null;
      return one === null ? park(inbound) : decide(env, one, access(one));
    }),
  );
  const doorbells = await carryOut(env.DB, decisions, Date.now(), timingsOf(env));
  await ring(bellsOf(env), doorbells, "planner");
  for (const decision of decisions) report(decision, Date.now() - started);
  return NOTHING_AGAIN;
}

function park(inbound: Decision["inbound"]): Promise<Decision> {
  return Promise.resolve({
    kind: "park",
    inbound,
    reason: "the stored event is not of the inbound contract",
  });
}

async function decide(env: Env, { inbound, event }: Heard, access: Access): Promise<Decision> {
  const where = { inbound, address: JSON.stringify(event.address), channel: event.channel };
  switch (access.kind) {
    case "refused":
      return { kind: "ignore", inbound, reason: access.reason };
    case "stranger": {
      const code = newCode();
      return { kind: "introduce", ...where, personId: event.sender.id, code, text: introduction(code) };
    }
    case "admin in a strange group": {
      const by = `${event.channel}:${event.sender.id}`;
      const text = "Everybody in this group may talk to me now.";
      if (parseCommand(event.text)?.name === "admit")
        return { kind: "admit", ...where, groupId: event.address.chatId, by, text };
      return {
        kind: "reply",
        ...where,
        text: "I do not know this group yet. You are an admin: send /admit to let it talk to me.",
      };
    }
    case "admitted":
      return decideForAdmitted(env, { inbound, event }, where);
  }
}

async function decideForAdmitted(env: Env, { inbound, event }: Heard, where: Where): Promise<Decision> {
  if (event.kind === "callback") return { kind: "ignore", inbound, reason: "a button that is not ours" };
  const { messageId: externalId = null, attachments = [], text, quote } = event;
  if (text === "") return { kind: "reply", ...where, text: unreadable(attachments) };
  const content = { type: "text" as const, text, ...(quote !== undefined && { quote }) };
  const command = parseCommand(text);
  if (event.edited === true) {
    // It was carried out as it was first said, and is not carried out twice.
    if (command !== null || externalId === null)
      return { kind: "ignore", inbound, reason: "an edited command" };
    return { kind: "edit", inbound, externalId, content };
  }
  if (command !== null) return answerCommand(env.DB, where, command);
  return { kind: "message", ...where, messageId: withKind(inbound.id, "msg"), externalId, content };
}

const introduction = (code: string) =>
  `I do not know you yet. Whoever runs this installation can let you in with \`npm run pair -- ${code}\`; then write again.`;

/** Said rather than passed over in silence. */
function unreadable(attachments: readonly string[]): string {
  const what = attachments[0]?.replaceAll("_", " ") ?? "message";
  return `I cannot read a ${what} without words yet. Write what you need.`;
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
