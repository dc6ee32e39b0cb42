/** The ways to think of a turn. A protocol is one file and one line in this table. */
import type { Permanent, Transient } from "../../../shared/errors.ts";
import type { Turn } from "../../../shared/contracts/turn.ts";
import type { Transcript } from "../../../shared/store/turns.ts";
import type { Env } from "../env.ts";
import type { PromptFile } from "../files.ts";
import { anthropicOf } from "./anthropic.ts";
import { isForRules, rules } from "./rules.ts";

export interface TurnRequest {
  readonly taskId: string;
  readonly n: number;
  readonly transcript: Transcript;
  /** What its messages came with, by the ids of the messages. */
  readonly files: ReadonlyMap<string, readonly PromptFile[]>;
  /** Aborts when the model call's time is over, or nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** To be told what the model says while it says it, and "" when it does something else than speak. */
  heard(delta: string): Promise<void>;
}

/** Something in the request is not to the model's liking: without its files it may be. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: string;
}

export interface ModelClient {
  /** Whose model it is, for the log. */
  readonly provider: string;
  next(request: TurnRequest): Promise<Turn | Transient | Permanent | Refused>;
}

export type ModelProtocol = "anthropic";

/** The protocols with a model behind them: each makes a client of what is configured for it, or null when nothing is. */
export const models: Record<ModelProtocol, (env: Env) => ModelClient | null> = { anthropic: anthropicOf };

/** The first that is configured; commands that need no thought are done without a model. */
export function modelFor(
  env: Env,
  { taskId, transcript }: Pick<TurnRequest, "taskId" | "transcript">,
): ModelClient {
  if (isForRules(taskId, transcript)) return rules;
  for (const clientOf of Object.values(models)) {
    const client = clientOf(env);
    if (client !== null) return client;
  }
  return rules;
}
