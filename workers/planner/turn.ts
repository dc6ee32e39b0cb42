/** The next turn of a task: claimed before the model is asked, stored before it is returned. */
import { timingsOf } from "../../shared/config.ts";
import type { ToolCall } from "../../shared/contracts/tool.ts";
import type { NextTurn, Turn } from "../../shared/contracts/turn.ts";
import { permanent, type Permanent, reasonOf, type Transient, transient } from "../../shared/errors.ts";
import type { Timings } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { recordRefused } from "../../shared/store/attachments.ts";
import { claimTurn, releaseTurn, storeTurn, type Transcript, turnId } from "../../shared/store/turns.ts";
import { titleOf } from "../../shared/words.ts";
import type { Env } from "./env.ts";
import { withinBounds } from "./long-answer.ts";
import { filesOf, NO_FILES, withoutContents } from "./files.ts";
import { type ModelClient, modelFor, type TurnRequest } from "./models/index.ts";
import { rules } from "./models/rules.ts";
import { Narrator } from "./narrator.ts";

/** Whoever took the claim has stored the turn, or is about to. */
const CLAIM_LOST: NextTurn = {
  kind: "transient",
  reason: "the claim of this turn was lost",
  retryAfterMs: 500,
};

/** Failures are returned. A claim that somebody else holds is Transient: whoever holds it stores the turn. */
export async function nextTurn(env: Env, taskId: string, n: number): Promise<NextTurn> {
  const timings = timingsOf(env);
  const claim = crypto.randomUUID();
  const now = Date.now();
  const claimed = await claimTurn(env.DB, { taskId, n, claim, until: now + timings.turn_claim_ms, now });
  switch (claimed.kind) {
    case "inactive":
      return claimed;
    case "busy":
      return {
        kind: "transient",
        reason: "another planner is at this turn",
        retryAfterMs: Math.max(claimed.until - now, 100),
      };
    case "stored":
      return { kind: "turn", calls: claimed.calls.map(({ k, call }) => planned(call, k)) };
    case "claimed":
      return think(env, timings, { taskId, n, claim, transcript: claimed.transcript });
  }
}

interface Claimed {
  taskId: string;
  n: number;
  claim: string;
  transcript: Transcript;
}

async function think(
  env: Env,
  timings: Timings,
  { taskId, n, claim, transcript }: Claimed,
): Promise<NextTurn> {
  const model = modelFor(env, { taskId, transcript });
  const { conversationId } = transcript;
  const files = model === rules ? NO_FILES : await filesOf(env, transcript);
  const started = Date.now();
  const narrator = new Narrator(env.DB, timings, { taskId, n, claim });
  const heard = (delta: string) => narrator.hear(delta);
  const turn = await askForgiving(env, model, {
    taskId,
    n,
    transcript,
    files,
    signal: narrator.signal,
    heard,
  });
  narrator.end();
  const latencyMs = Date.now() - started;
  const facts = {
    stage: "planner" as const,
    session_id: conversationId,
    task_id: taskId,
    provider: model.provider,
  };
  if (narrator.dropped !== null) {
    log("info", {
      ...facts,
      effect: "turn",
      latency_ms: latencyMs,
      detail: `nobody waits for it: ${narrator.dropped}`,
    });
    return narrator.dropped === "ended" ? { kind: "inactive", state: null } : CLAIM_LOST;
  }
  if ("kind" in turn) {
    log("warn", { ...facts, effect: "turn", latency_ms: latencyMs, detail: turn.reason });
    if (turn.kind === "permanent") return turn;
    const retryAfterMs = turn.retryAfterMs ?? timings.model_retry_ms;
    const [now, { reason }] = [Date.now(), turn];
    const until = now + retryAfterMs + timings.step_ms;
    await releaseTurn(env.DB, { taskId, n, claim, until, reason, retryAfterMs, now });
    return { kind: "transient", reason, retryAfterMs };
  }
  const now = Date.now();
  const read = transcript.messages
    .filter((message) => message.turnId === turnId(taskId, n))
    .map(({ id }) => id);
  const bounded = await withinBounds(env.FILES, turn);
  const untold = turn.text.startsWith(narrator.told) ? turn.text.slice(narrator.told.length) : turn.text;
  const stored = { taskId, n, claim, ...bounded, untold, read, latencyMs, until: now + timings.step_ms, now };
  if (!(await storeTurn(env.DB, stored))) {
    return CLAIM_LOST;
  }
  const tokens = turn.usage.tokensIn + turn.usage.tokensOut;
  log("info", {
    ...facts,
    effect: "turn",
    turn: n,
    model: turn.model,
    latency_ms: latencyMs,
    tokens_used: tokens,
    ...(turn.usage.costUsd !== null && { cost_usd: turn.usage.costUsd }),
  });
  return { kind: "turn", calls: turn.calls.map((call, index) => planned(call, index + 1)) };
}

/** A file that the model refuses does not take the words with it, now or later: what is new is left out first, and then all. */
async function askForgiving(
  env: Env,
  model: ModelClient,
  request: TurnRequest,
): Promise<Turn | Transient | Permanent> {
  let turn = await ask(model, request);
  for (const suspects of suspectsOf(request)) {
    if (!("kind" in turn) || turn.kind !== "refused") break;
    const { reason } = turn;
    turn = await ask(model, { ...request, files: withoutContents(request.files, suspects, reason) });
    if (!("kind" in turn)) await recordRefused(env.DB, suspects, reason);
  }
  if (!("kind" in turn) || turn.kind !== "refused") return turn;
  return permanent(`${turn.reason}; if that is about what was said before, /new forgets it`);
}

/** The messages whose files are left out, in the order of suspicion: those that the model sees for the first time, and then all. */
function suspectsOf({ taskId, n, transcript, files }: TurnRequest): string[][] {
  const all = [...files].flatMap(([id, some]) => (some.some(({ content }) => content !== null) ? [id] : []));
  const read = transcript.messages.filter((message) => message.turnId === turnId(taskId, n));
  const isNew = all.filter((id) => read.some((message) => message.id === id));
  const isDistinct = isNew.length > 0 && isNew.length < all.length;
  return [...(isDistinct ? [isNew] : []), ...(all.length > 0 ? [all] : [])];
}

/** A client that throws has met something nobody foresaw: it may pass. */
async function ask(model: ModelClient, request: TurnRequest): ReturnType<ModelClient["next"]> {
  try {
    return await model.next(request);
  } catch (error) {
    return request.signal.aborted
      ? transient("the model did not answer in time")
      : permanent(`the model client failed: ${reasonOf(error)}`);
  }
}

function planned(call: ToolCall, k: number) {
  return { k, tool: call.tool, title: titleOf(call) };
}
