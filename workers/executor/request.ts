/** A call that waits for a person: what they are asked, and what becomes of what they say. */
import { readTimings } from "../../shared/config.ts";
import type { Question } from "../../shared/contracts/tool.ts";
import { findTool, type ToolCall } from "../../shared/contracts/tools/index.ts";
import type { CallKey } from "../../shared/contracts/turn.ts";
import { nameApproval } from "../../shared/ids.ts";
import { LIMITS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { type Decision, readDecision } from "../../shared/store/approvals.ts";
import { observeCall } from "../../shared/store/observe-call.ts";
import { readGated, requestPerson } from "../../shared/store/request-person.ts";
import {
  describeDeciding,
  makeApprovalButtons,
  makeChoiceButtons,
  shortenApprovalId,
} from "../../shared/strings.ts";
import { formatBlock, toOneLine } from "../../shared/text.ts";
import { getBells, type Env } from "./env.ts";

/** Asks, unless it was asked before. */
export async function request(env: Env, key: CallKey): Promise<void> {
  const timings = readTimings(env);
  const gated = await readGated(env.DB, key);
  if (gated === null) return;
  const { made, gate } = gated;
  const id = await nameApproval(key);
  const now = Date.now();
  const question = findTool(made.tool)?.asks(made.input) ?? null;
  const expiresAt = now + (question === null ? timings.approval_ms : timings.question_ms);
  const asked = question === null ? askApproval(id, made, gate, expiresAt) : askQuestion(id, question);
  const doorbells = await requestPerson(env.DB, { ...key, id, expiresAt, ...asked }, now, timings);
  log("info", { stage: "executor", effect: "requested", task_id: key.taskId, tool: made.tool, key: id });
  await ring(getBells(env), doorbells, "executor");
}

function askQuestion(id: string, { question, choices }: Question) {
  return {
    kind: "question" as const,
    text: `❓ ${question}`,
    buttons: makeChoiceButtons(id, choices),
    choices,
    progress: "Waiting for your answer.",
  };
}

/** Everything that would be done is shown, so that nobody approves what they have not seen. */
function askApproval(id: string, { tool, input }: ToolCall, gate: string, expiresAt: number) {
  const shortId = shortenApprovalId(id);
  const title = findTool(tool)?.title ?? tool;
  const parts = Object.entries(input).map(
    ([name, value]) =>
      `${name}:\n${formatBlock(unhide(typeof value === "string" ? value : JSON.stringify(value, null, 2)))}`,
  );
  const how = describeDeciding(id, expiresAt);
  return {
    kind: "approval" as const,
    text: [`🔐 **May I do this? ${title}**`, ...parts, `I ask because ${gate}.\n${how}`].join("\n\n"),
    buttons: makeApprovalButtons(id),
    choices: [],
    progress: `Waiting for an approval: ${title.toLowerCase()} (\`${shortId}\`).`,
  };
}

/** What turns the direction of writing, or is not seen at all, would have people approve something else than they read. */
const unhide = (text: string) =>
  text.replaceAll(
    /[\p{Cf}\p{Co}\u115f\u1160\u3164\uffa0]/gu,
    (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );

/** What a Workflow goes on with. `open`: nobody has decided yet. `over`: the call is not made. */
export type Heard = { kind: "open" | "approved" | "over" };

/** Reads what was decided. What is no approval is the call's result. */
export async function hear(env: Env, key: CallKey): Promise<Heard> {
  const decision = await readDecision(env.DB, await nameApproval(key));
  // Its task had ended before it was asked, or has since.
  if (decision === undefined || decision.state === "dropped") return { kind: "over" };
  if (decision.state === "open" || decision.state === "approved") return { kind: decision.state };
  const now = Date.now();
  await observeCall(env.DB, key, describeDecision(decision), { latencyMs: 0, now, isBesideWaiting: true });
  return { kind: "over" };
}

/** Whether it is decided what may be spent on a turn: the planner reads how. */
export async function hearOfTurn(env: Env, key: CallKey): Promise<Heard> {
  const decision = await readDecision(env.DB, await nameApproval(key));
  return { kind: decision?.state === "open" ? "open" : "over" };
}

function describeDecision({ state, kind, reason }: Decision) {
  const nothing = { images: [], output: "", value: null, files: [] };
  if (state === "answered")
    return { ...nothing, ok: true, text: reason ?? "", output: reason ?? "", error: null };
  const why = reason === null ? "" : `, and said: ${toOneLine(reason, LIMITS.error_chars_max)}`;
  const expired = kind === "question" ? "Nobody answered in time." : "Not done: nobody approved it in time.";
  const text = state === "expired" ? expired : `Not done: a person denied it${why}`;
  return { ...nothing, ok: false, text, error: text };
}
