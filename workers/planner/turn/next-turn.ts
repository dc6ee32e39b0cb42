/** The next turn of a task: claimed before the model is asked, stored before it is returned. */
import { readTimings } from "../../../shared/config.ts";
import { summarizeCall, type ToolCall, usesWorkspace } from "../../../shared/contracts/tools/index.ts";
import type { NextTurn, PlannedCall, TurnKey } from "../../../shared/contracts/turn.ts";
import { describeError, type Transient, transient } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { log } from "../../../shared/log.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import { claimTurn } from "../../../shared/store/claim-turn.ts";
import { releaseTurn } from "../../../shared/store/release-turn.ts";
import type { TurnClaim } from "../../../shared/store/statements/guards.ts";
import { settle } from "../../../shared/store/reserve.ts";
import type { Spent } from "../../../shared/store/statements/spending.ts";
import { type PlannedTurn, storeTurn } from "../../../shared/store/store-turn.ts";
import { type Transcript, wasReadIn } from "../../../shared/store/transcript.ts";
import { getBells, type Env } from "../env.ts";
import type { ModelClient } from "../models/model.ts";
import { type Answered, ask } from "./ask.ts";
import { offerTools } from "./check.ts";
import { readFiles } from "./files.ts";
import { toOneLine } from "../../../shared/text.ts";
import { type GatedTurn, gateTurn } from "./gate.ts";
import { boundAnswer } from "./long-answer.ts";
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
export async function nextTurn(env: Env, openModel: OpenModel, key: TurnKey): Promise<NextTurn> {
  const claim = { ...key, claim: crypto.randomUUID() };
  const now = Date.now();
  const until = now + readTimings(env).turn_claim_ms;
  const claimed = await claimTurn(env.DB, { ...claim, until }, now);
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
      return { kind: "turn", calls: claimed.calls.map(({ call, made, gate }) => nameCall(made, call, gate)) };
    case "claimed": {
      const mine = { ...claim, transcript: claimed.transcript, account: { spent: null } };
      return planTurn(env, openModel, mine).catch((error: unknown) => giveBack(env, mine, error));
    }
  }
}

/** Something nobody foresaw: whoever asks again must not find the turn claimed, and the receipt says what it was. */
async function giveBack(env: Env, claimed: Claimed, error: unknown): Promise<NextTurn> {
  // People are told no more than that: what was thrown may hold anything.
  const reason = "the turn could not be made, for something is broken on my side";
  const { taskId, transcript } = claimed;
  log("error", {
    stage: "planner",
    effect: "turn",
    task_id: taskId,
    session_id: transcript.conversationId,
    detail: toOneLine(describeError(error), LIMITS.error_chars_max),
  });
  return release(env, claimed, transient(reason));
}

interface Claimed extends TurnClaim {
  readonly transcript: Transcript;
  /** What the model did cost, for whoever gives the turn back. */
  readonly account: { spent: Spent | null };
}

async function planTurn(env: Env, openModel: OpenModel, claimed: Claimed): Promise<NextTurn> {
  const { taskId, turn, claim, transcript } = claimed;
  const model = isForRules(taskId, transcript) ? null : await openModel();
  // Also without a model: what was sent is to lie in the workspace, where commands find it.
  const files = await readFiles(env, transcript);
  const started = Date.now();
  const narrator = new Narrator(env.DB, readTimings(env), { taskId, turn, claim });
  const asked: Answered =
    model === null
      ? { kind: "planned", planned: planByRules(claimed, transcript), spent: null }
      : await ask(env, model, {
          ...claimed,
          files,
          begin: (soFar) => narrator.begin(soFar),
          tools: offerTools(env),
          onText: (delta) => narrator.onText(delta),
        });
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
  const { spent } = asked;
  claimed.account.spent = spent;
  if (narrator.abandoned !== null) {
    if (spent !== null) await settle(env.DB, claim, spent);
    log("info", { ...facts, detail: `nobody waits for it: ${narrator.abandoned}` });
    return narrator.abandoned === "ended" ? { kind: "inactive", state: null } : CLAIM_LOST;
  }
  if (asked.kind === "waits") {
    if (spent !== null) await settle(env.DB, claim, spent);
    return { kind: "waits" };
  }
  if (asked.kind !== "planned") {
    log("warn", { ...facts, detail: asked.reason });
    if (asked.kind === "transient") return release(env, claimed, asked);
    if (spent !== null) await settle(env.DB, claim, spent);
    return asked;
  }
  const { planned, gates } = gateTurn(transcript.policy, asked.planned);
  const stored = await store(env, claimed, {
    planned,
    gates,
    untold: narrator.restOf(planned.text),
    spent,
    latencyMs,
  });
  if (stored.kind === "lost") return CLAIM_LOST;
  const endState = planned.error === null ? "succeeded" : "failed";
  log("info", {
    ...facts,
    turn,
    model: planned.model,
    tokens_used: planned.usage.tokensIn + planned.usage.tokensOut,
    ...(planned.usage.costUsd !== null && { cost_usd: planned.usage.costUsd }),
    ...(stored.kind === "ended" && { state: endState }),
  });
  if (stored.kind === "stored")
    return {
      kind: "turn",
      calls: planned.calls.map((call, index) => nameCall(call, index + 1, gates[index])),
    };
  await ring(getBells(env), stored.doorbells, "planner");
  return { kind: "inactive", state: stored.kind === "ended" ? endState : null };
}

/** Gives the turn back: it is asked for again after the wait that the failure names. */
async function release(env: Env, claimed: Claimed, { reason, retryAfterMs }: Transient): Promise<NextTurn> {
  const timings = readTimings(env);
  const waitMs = retryAfterMs ?? timings.model_retry_ms;
  const now = Date.now();
  const until = now + waitMs + timings.step_ms;
  await releaseTurn(
    env.DB,
    { ...claimed, until, reason, retryAfterMs: waitMs, spent: claimed.account.spent },
    now,
  );
  return { kind: "transient", reason, retryAfterMs: waitMs };
}

async function store(
  env: Env,
  claimed: Claimed,
  made: GatedTurn & Pick<PlannedTurn, "untold" | "spent" | "latencyMs">,
) {
  const read = claimed.transcript.messages.filter(wasReadIn(claimed)).map(({ id }) => id);
  const bounded = await boundAnswer(env.FILES, made.planned);
  const timings = readTimings(env);
  const now = Date.now();
  const until = now + timings.step_ms;
  return storeTurn(env.DB, { ...claimed, ...made, ...bounded, read, until }, now, timings);
}

function nameCall(made: ToolCall, call: number, gate: string | null = null): PlannedCall {
  return {
    call,
    tool: made.tool,
    title: summarizeCall(made),
    ...(gate !== null && { waits: true }),
    ...(usesWorkspace(made) && { inOrder: true }),
  };
}
