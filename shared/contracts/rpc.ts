/** What one Worker may ask of another, directly. */
import * as z from "zod/mini";
import type { ChannelName } from "./channel.ts";
import { type ReceivedFile, StoredFile } from "./file.ts";
import type { NextTurn } from "./turn.ts";

export interface PlannerRpc {
  /** That turn of a task, counted from 1: stored before it is returned, so asking twice returns the stored one. */
  nextTurn(taskId: string, turn: number): Promise<NextTurn>;
}

/** What came of fetching a file: it is kept, or why it is not. */
export const FetchedFile = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("kept"), file: StoredFile }),
  z.object({ kind: z.literal("transient"), reason: z.string() }),
  z.object({ kind: z.literal("permanent"), reason: z.string() }),
]);
export type FetchedFile = z.infer<typeof FetchedFile>;

export interface NotifierRpc {
  /** Fetches a file from its platform and keeps it: who has the platform's credentials is the notifier. */
  fetchFile(channel: ChannelName, file: ReceivedFile): Promise<FetchedFile>;
}
