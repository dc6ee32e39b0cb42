/** What whoever carries a tool out is given and gives back. */
import type { NewFile } from "../../../shared/contracts/file.ts";
import type { InputOf, ToolName } from "../../../shared/contracts/tools/index.ts";
import type { CallKey } from "../../../shared/contracts/turn.ts";
import type { Transient } from "../../../shared/errors.ts";
import type { Env } from "../env.ts";

/** What a call brought back, in its order. */
type Part =
  | { readonly type: "text"; readonly text: string }
  /** Attached to the answer. */
  | { readonly type: "file"; readonly file: NewFile }
  /** For the model to see. */
  | { readonly type: "image"; readonly image: NewFile };

/** What goes wrong with a call is a result too: `ok` is false, and the text says why. */
export interface ToolResult {
  readonly ok: boolean;
  readonly parts: readonly Part[];
}

export interface ToolContext extends CallKey {
  readonly env: Env;
  readonly conversationId: string;
  /** From 1, over Transient failures. */
  readonly attempt: number;
  /** Unix milliseconds: when the task is given up. */
  readonly deadlineAt: number;
  /** Aborts when the time of the step is over. */
  readonly signal: AbortSignal;
  /** Shows people how far it is. */
  progress(text: string): Promise<void>;
  /** A file that was kept, by the hash of its content; null when it is not there any more. */
  readFile(sha256: string): Promise<Uint8Array | null>;
}

/** Carries a call out. Transient is for what may go better later. */
export type Run<Name extends ToolName> = (
  context: ToolContext,
  input: InputOf<Name>,
) => Promise<ToolResult | Transient>;

export function saying(ok: boolean, text: string): ToolResult {
  return { ok, parts: [{ type: "text", text }] };
}
