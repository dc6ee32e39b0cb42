/** What one Worker may ask of another, directly. */
import * as z from "zod/mini";
import type { ChannelName } from "./channel.ts";
import { NewFile, type ReceivedFile, StoredFile } from "./file.ts";
import type { NextTurn } from "./turn.ts";

export interface PlannerRpc {
  /** Turn `n` of a task: stored before it is returned, so asking twice returns the stored one. */
  nextTurn(taskId: string, n: number): Promise<NextTurn>;
}

/** What came of fetching a file: it is kept, or why it is not. */
export const FetchedFile = z.union([
  StoredFile,
  z.object({ kind: z.literal("transient"), reason: z.string() }),
  z.object({ kind: z.literal("permanent"), reason: z.string() }),
]);
export type FetchedFile = z.infer<typeof FetchedFile>;

export interface NotifierRpc {
  /** Fetches a file from its platform and keeps it: who has the platform's credentials is the notifier. */
  fetchFile(channel: ChannelName, file: ReceivedFile): Promise<FetchedFile>;
}

/** What came of a piece of code. Failures of the code are results, not errors. */
export const CodeResult = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("done"),
    /** What it printed, line by line. */
    printed: z.string(),
    /** What it returned, as JSON or text; null when it returned nothing. */
    value: z.nullable(z.string()),
    error: z.nullable(z.string()),
    /** What it saved. */
    files: z.array(NewFile),
  }),
  z.object({ kind: z.literal("timed_out") }),
  /** It never began: others took too long before it. */
  z.object({ kind: z.literal("not_started") }),
]);
export type CodeResult = z.infer<typeof CodeResult>;

export const codeResultExample: CodeResult = {
  kind: "done",
  printed: "hello",
  value: "42",
  error: null,
  files: [],
};

export interface RunCodeRequest {
  code: string;
  /** Wall-clock time it may take once it has begun. */
  wallMs: number;
  /** Time it may wait for others before it begins. */
  startWithinMs: number;
}

export interface RunnerRpc {
  /** Runs code in an isolate of its own, without network. `onStart` is called when it begins. */
  runCode(request: RunCodeRequest, onStart: () => void): Promise<CodeResult>;
}
