/** What a call asks a person before it is done: whether it may be made, or a question. */
import * as z from "zod/mini";

export const ApprovalKind = z.enum(["approval", "question"]);
export type ApprovalKind = z.infer<typeof ApprovalKind>;

export const ApprovalState = z.enum([
  "open",
  "approved",
  "denied",
  "answered",
  /** Nobody decided in time: to the call that is a denial. */
  "expired",
  /** Its task ended first. */
  "dropped",
]);
export type ApprovalState = z.infer<typeof ApprovalState>;

/** What somebody decides. `text`: why it is denied, or the answer. */
export const Decided = z.discriminatedUnion("state", [
  z.object({ state: z.literal("approved") }),
  z.object({ state: z.literal("denied"), text: z.nullable(z.string()) }),
  z.object({ state: z.literal("answered"), text: z.string() }),
]);
export type Decided = z.infer<typeof Decided>;

export const decidedExample: Decided = { state: "denied", text: "Not on a Friday." };
