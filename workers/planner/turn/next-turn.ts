/** The next turn of a task: claimed before the model is asked, stored before it is returned. */
import { timingsOf } from "../../../shared/config.ts";
import { summaryOf, type ToolCall } from "../../../shared/contracts/tools/index.ts";
import type { NextTurn, Turn } from "../../../shared/contracts/turn.ts";
import type { Transient } from "../../../shared/errors.ts";
import { log } from "../../../shared/log.ts";
import { claimTurn, releaseTurn, storeTurn, type Transcript, turnId } from "../../../shared/store/turns.ts";
import type { Env } from "../env.ts";
import type { ModelClient } from "../models/model.ts";
import { ask, type Asked } from "./ask.ts";
import { NO_FILES, readFiles } from "./files.ts";
import { withinBounds } from "./long-answer.ts";
import { Narrator } from "./narrator.ts";
import { isForRules, planByRules, RULES_PROVIDER } from "./rules.ts";

/** Whoever took the claim has stored the turn, or is about to. */
const CLAIM_LOST: NextTurn = {
  kind: "transient",
  reason: "the claim of this turn was lost",
  retryAfterMs: 500,
};

/** How the model is found; null where there is none. */
export type OpenModel = () => Promise<ModelClient | null>;

/** Failures are returned. A claim that somebody else holds is Transient: whoever holds it stores the turn. */
export async function nextTurn(
  env: Env,
  openModel: OpenModel,
  { taskId, n }: { taskId: string; n: number },
): Promise<NextTurn> {
  const claim = crypto.randomUUID();
  const now = Date.now();
  const until = now + timingsOf(env).turn_claim_ms;
  const claimed = await claimTurn(env.DB, { taskId, n, claim, until, now });
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
      return planTurn(env, openModel, { taskId, n, claim, transcript: claimed.transcript });
  }
}

interface Claimed {
  readonly taskId: string;
  readonly n: number;
  readonly claim: string;
  readonly transcript: Transcript;
}

async function planTurn(env: Env, openModel: OpenModel, claimed: Claimed): Promise<NextTurn> {
  const { taskId, n, claim, transcript } = claimed;
  const model = isForRules(taskId, transcript) ? null : await openModel();
  const files = model === null ? NO_FILES : await readFiles(env, transcript);
  const started = Date.now();
  const narrator = new Narrator(env.DB, timingsOf(env), { taskId, n, claim });
  const onText = (delta: string) => narrator.onText(delta);
  const asked: Asked =
    model === null
      ? { kind: "turn", turn: planByRules(taskId, n, transcript) }
      : await ask(env.DB, model, { taskId, n, transcript, files, signal: narrator.signal, onText });
  narrator.stop();
  const latencyMs = Date.now() - started;
  const facts = {
    stage: "planner" as const,
    effect: "turn",
    session_id: transcript.conversationId,
    task_id: taskId,
    provider: model?.provider ?? RULES_PROVIDER,
    latency_ms: latencyMs,
  };
  if (narrator.abandoned !== null) {
    log("info", { ...facts, detail: `nobody waits for it: ${narrator.abandoned}` });
    return narrator.abandoned === "ended" ? { kind: "inactive", state: null } : CLAIM_LOST;
  }
  if (asked.kind !== "turn") {
    log("warn", { ...facts, detail: asked.reason });
    return asked.kind === "permanent" ? asked : release(env, claimed, asked);
  }
  const { turn } = asked;
  const stored = await store(env, claimed, { turn, rest: narrator.restOf(turn.text), latencyMs });
  if (stored.kind === "lost") return CLAIM_LOST;
  log("info", {
    ...facts,
    turn: n,
    model: turn.model,
    tokens_used: turn.usage.tokensIn + turn.usage.tokensOut,
    ...(turn.usage.costUsd !== null && { cost_usd: turn.usage.costUsd }),
  });
  return { kind: "turn", calls: turn.calls.map((call, index) => planned(call, index + 1)) };
}

/** Gives the turn back: it is asked for again after the wait that the failure names. */
async function release(
  env: Env,
  { taskId, n, claim }: Claimed,
  { reason, retryAfterMs }: Transient,
): Promise<NextTurn> {
  const timings = timingsOf(env);
  const waitMs = retryAfterMs ?? timings.model_retry_ms;
  const now = Date.now();
  const until = now + waitMs + timings.step_ms;
  await releaseTurn(env.DB, { taskId, n, claim, until, reason, retryAfterMs: waitMs, now });
  return { kind: "transient", reason, retryAfterMs: waitMs };
}

async function store(
  env: Env,
  { taskId, n, claim, transcript }: Claimed,
  { turn, rest, latencyMs }: { turn: Turn; rest: string; latencyMs: number },
) {
  const read = transcript.messages.filter((message) => message.turnId === turnId(taskId, n));
  const bounded = await withinBounds(env.FILES, turn);
  const now = Date.now();
  return storeTurn(env.DB, {
    taskId,
    n,
    claim,
    ...bounded,
    untold: rest,
    read: read.map(({ id }) => id),
    latencyMs,
    until: now + timingsOf(env).step_ms,
    now,
  });
}

function planned(call: ToolCall, k: number) {
  return { k, tool: call.tool, title: summaryOf(call) };
}
