/** Triage: who may, which conversation, command or message, which task. A batch at a time, and never a model call. */
import { timingsOf } from "../../shared/config.ts";
import { InboundEvent } from "../../shared/contracts/inbound.ts";
import { withKind } from "../../shared/ids.ts";
import { log, type LogLevel } from "../../shared/log.ts";
import type { LookAgain } from "../../shared/queue/consume.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { type NewInbound, newInbound } from "../../shared/store/inbound.ts";
import { carryOut, type Decision } from "../../shared/store/triage.ts";
import { mayTalk } from "./access.ts";
import { answerCommand, parseCommand } from "./commands.ts";
import { bellsOf, type Env } from "./env.ts";

const NOTHING_AGAIN: LookAgain = new Map();
const LEVELS: Partial<Record<Decision["kind"], LogLevel>> = { ignore: "warn", park: "error" };

/** Looks at inbound rows: decides what is to come of each, and carries all of it out in one batch. */
export async function triage(env: Env, inboundIds: readonly string[]): Promise<LookAgain> {
  const started = Date.now();
  const rows = await newInbound(env.DB, inboundIds);
  if (rows.length === 0) return NOTHING_AGAIN;
  const decisions = await Promise.all(rows.map((row) => decide(env, row)));
  const doorbells = await carryOut(env.DB, decisions, Date.now(), timingsOf(env));
  await ring(bellsOf(env), doorbells, "planner");
  for (const decision of decisions) report(decision, Date.now() - started);
  return NOTHING_AGAIN;
}

async function decide(env: Env, inbound: NewInbound): Promise<Decision> {
  const parsed = InboundEvent.safeParse(parseJson(inbound.event));
  if (!parsed.success)
    return { kind: "park", inbound, reason: "the stored event is not of the inbound contract" };
  const event = parsed.data;
  const refusal = mayTalk(env, event);
  if (refusal !== null) return { kind: "ignore", inbound, reason: refusal };
  const where = { inbound, address: JSON.stringify(event.address), channel: event.channel };
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
