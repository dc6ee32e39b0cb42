/** A script that runs in a sandbox, as whoever has begun it follows it. */
import * as z from "zod/mini";
import { LaidFile } from "./code.ts";
import type { Fetched } from "./event.ts";

const said = {
  /** What it has printed since. */
  output: z.string(),
  /** From where to ask on. */
  next: z.int(),
};

export const JobState = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("running"), ...said }),
  z.object({ kind: z.literal("exited"), code: z.int(), ...said }),
  z.object({ kind: z.literal("timed_out"), ...said }),
  z.object({ kind: z.literal("cancelled"), ...said }),
  /** It never began: others took too long before it, or there is nothing to run it in. */
  z.object({
    kind: z.literal("not_started"),
    reason: z.string(),
    retryAfterMs: z.optional(z.int()),
    ...said,
  }),
  /** It has ended, and nothing of what it left can be taken. */
  z.object({ kind: z.literal("refused"), reason: z.string(), ...said }),
  /** What became of it is not known, or it has broken the sandbox. */
  z.object({
    kind: z.literal("lost"),
    reason: z.string(),
    /** It has changed something outside, as far as anybody can tell: it is not to be done again. */
    acted: z.optional(z.boolean()),
    ...said,
  }),
]);
export type JobState = z.infer<typeof JobState>;
export type JobEnd = Exclude<JobState, { kind: "running" }>;

export const jobStateExample: JobState = { kind: "exited", code: 0, output: "hello\n", next: 6 };

/** What a job has left: null where a file is gone. Its path is whatever the job made of it. */
export const LeftFile = z.object({
  path: z.string(),
  content: z.nullable(z.instanceof(Uint8Array)),
  /** The hash of what was laid there, by a sandbox that has kept it; null for nothing. */
  base: z.optional(z.nullable(z.string())),
});
export type LeftFile = z.infer<typeof LeftFile>;

/** A job as a container is given it. */
export const JobOrder = z.object({
  /** Made by the engine alone: it names a folder. */
  id: z.string().check(z.regex(/^[\w.-]+$/)),
  script: z.string(),
  /** From its beginning. */
  wallMs: z.int(),
  files: z.array(LaidFile),
});
export type JobOrder = z.infer<typeof JobOrder>;

export const jobOrderExample: JobOrder = { id: "task_1.1.1", script: "make test", wallMs: 60_000, files: [] };

/** The hands, by conversation. Whatever goes wrong with a container is an answer; what throws is the way to it. */
export interface HandsRpc {
  /** Begins a job, unless it was begun before; whatever job of that conversation was there before it is over. */
  begin(conversationId: string, order: JobOrder): Promise<Begun>;
  /** How it is, as soon as it has ended, or after that time. @param offset in bytes of what it has printed. */
  poll(conversationId: string, jobId: string, offset: number, withinMs: number): Promise<JobState>;
  /** Ends it with all that it has begun. @param id a job's, or a task's: that task's job, if there is one. */
  cancel(conversationId: string, id: string): Promise<void>;
  take(conversationId: string, jobId: string): Promise<Taken>;
  /** What the job has asked for through the gate. */
  listFetched(conversationId: string, jobId: string): Promise<readonly Fetched[]>;
}

export type Begun =
  /** When its work began, in Unix milliseconds. */
  | { readonly kind: "begun"; readonly startedAt: number }
  | { readonly kind: "not_ready"; readonly reason: string; readonly retryAfterMs?: number };
export type Taken =
  /** `unkept` says of links and the like that they stay behind. */
  | { readonly kind: "taken"; readonly files: readonly LeftFile[]; readonly unkept: readonly string[] }
  | { readonly kind: "refused" | "lost"; readonly reason: string };
