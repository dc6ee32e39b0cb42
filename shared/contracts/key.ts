/** API keys: what each may do. */
import * as z from "zod/mini";

export const Scope = z.enum([
  /** Submits tasks; reads, steers and cancels those. */
  "tasks",
  /** Reads the tasks of every key of its tenant; not what people said in chats. */
  "tasks:read",
  /** Lists and decides what calls wait for, of every task of its tenant. */
  "approvals",
  /** Lists, admits, dismisses and forgets people. */
  "people",
  /** Reads, replays and discards what was put aside, whoever said it. */
  "dead-letters",
  /** Everything, other keys and people's chats too. */
  "admin",
]);
export type Scope = z.infer<typeof Scope>;

export const scopeExample: Scope = "tasks";
