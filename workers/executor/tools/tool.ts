/** What whoever carries a tool out is given and gives back. */
import type { NewFile } from "../../../shared/contracts/file.ts";
import type { InputOf, ToolName } from "../../../shared/contracts/tools/index.ts";
import type { CallKey } from "../../../shared/contracts/turn.ts";
import type { Transient } from "../../../shared/errors.ts";
import type { Env } from "../env.ts";

type Part =
  | { readonly type: "text"; readonly text: string }
  /** Attached to the answer. */
  | { readonly type: "file"; readonly file: NewFile }
  /** For the model to see. */
  | { readonly type: "image"; readonly image: NewFile };

/** What goes wrong with a call is a result too: `error` says why. */
export interface ToolResult {
  /** What it said and made, in its order. */
  readonly parts: readonly Part[];
  /** What it comes to, where that is a value: as it is shown, and as JSON, unless that is too long. */
  readonly value: { readonly shown: string; readonly json: string | null } | null;
  readonly error: string | null;
}

export interface ToolContext extends CallKey {
  readonly env: Env;
  readonly conversationId: string;
  /** From 1, over Transient failures. */
  readonly attempt: number;
  /** Unix milliseconds: when the task is given up. */
  readonly deadlineAt: number;
  /** Unix milliseconds: when the call was made first. */
  readonly startedAt: number;
  /** Cancels the call: it aborts when its task was stopped, or the time of the step is over. Whatever runs for the call elsewhere is to end with it. */
  readonly signal: AbortSignal;
  /** Shows people how far it is. */
  progress(text: string): Promise<void>;
  /** A file that was kept, by the hash of its content; null when it is not there any more. */
  readFile(sha256: string): Promise<Uint8Array<ArrayBuffer> | null>;
}

/** What was begun elsewhere is not over: the call is to be made again, and will go on with it. */
export const GOES_ON = { kind: "goes_on" } as const;
export type GoesOn = typeof GOES_ON;

/** Carries a call out. Transient is for what may go better later. */
export type Run<Name extends ToolName> = (
  context: ToolContext,
  input: InputOf<Name>,
) => Promise<ToolResult | Transient | GoesOn>;

export function failing(error: string): ToolResult {
  return { parts: [], value: null, error };
}
