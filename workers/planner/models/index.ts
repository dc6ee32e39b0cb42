/** The ways to think of a turn. A protocol is one file and one line in this table. */
import type { Permanent, Transient } from "../../../shared/errors.ts";
import type { Turn } from "../../../shared/contracts/turn.ts";
import type { Transcript } from "../../../shared/store/turns.ts";
import { rules } from "./rules.ts";

export interface TurnRequest {
  readonly taskId: string;
  readonly n: number;
  readonly transcript: Transcript;
  /** Aborts when the model call's time is over. */
  readonly signal: AbortSignal;
}

export interface ModelClient {
  /** Whose model it is, for the log. */
  readonly provider: string;
  next(request: TurnRequest): Promise<Turn | Transient | Permanent>;
}

export type ModelProtocol = "rules";

export const models: Record<ModelProtocol, ModelClient> = { rules };
