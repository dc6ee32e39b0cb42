/** What the HTTP API takes and answers of what people control: policies, and what calls wait for. */
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { HeldCaps } from "../policy/caps.ts";
import { Policy, Verb } from "../policy/policy.ts";
import { ApprovalKind, ApprovalState } from "./approval.ts";

/** ISO 8601, in UTC. */
const Time = z.string();

const ToolVerdict = z.object({
  tool: z.string(),
  decision: Verb,
  /** The place of the rule that decides, from 1; null where none does. */
  rule: z.nullable(z.int()),
  why: z.string(),
});

/** `GET /v1/policy?tool=&url=&path=&command=`, and the answer to `PUT /v1/policy`, which takes a policy. */
export const PolicyView = z.object({
  policy: Policy,
  /** The spending caps that hold, with their defaults. */
  caps: HeldCaps,
  /** Nobody has set another. */
  is_default: z.boolean(),
  /** What it says of each tool, or of the one that was asked for with what it would touch. */
  tools: z.array(ToolVerdict),
});
export type PolicyView = z.infer<typeof PolicyView>;

const Spent = { tokens: z.int(), usd: z.number() };
const Capped = z.object({ ...Spent, tokens_max: z.int(), usd_max: z.number() });

/** `GET /v1/usage`: today, in UTC. What is under way is counted as what it may cost. */
export const UsageView = z.object({
  renews_at: Time,
  /** The key that asks. */
  key: Capped,
  /** Its tenant. */
  everybody: Capped,
  /** For `admin`: persons' ids, and `key:` with a key's id, those first who have spent the most. */
  senders: z.array(z.object({ sender: z.string(), ...Spent })),
});
export type UsageView = z.infer<typeof UsageView>;

export const ApprovalView = z.object({
  id: z.string(),
  task: z.string(),
  turn: z.int(),
  /** 0: it is about what the turn may cost. */
  call: z.int(),
  kind: ApprovalKind,
  state: ApprovalState,
  /** What was asked, in Markdown. */
  text: z.string(),
  choices: z.array(z.string()),
  requested_at: Time,
  expires_at: Time,
  decided_at: z.nullable(Time),
  /** A person's id, `key:` and a key's id, or null where the time decided. */
  decided_by: z.nullable(z.string()),
  /** Why it was denied, or the answer. */
  reason: z.nullable(z.string()),
});
export type ApprovalView = z.infer<typeof ApprovalView>;

/** `GET /v1/approvals?state=`: the newest first. */
export const ApprovalPage = z.object({ approvals: z.array(ApprovalView) });
export type ApprovalPage = z.infer<typeof ApprovalPage>;

const Words = z.string().check(z.minLength(1), z.maxLength(LIMITS.prompt_chars_max));

/** `POST /v1/approvals/:id`. The same decision again is answered with what it is. */
export const NewDecision = z.discriminatedUnion("decision", [
  z.strictObject({ decision: z.literal("approve") }),
  z.strictObject({ decision: z.literal("deny"), reason: z.optional(Words) }),
  z.strictObject({ decision: z.literal("answer"), answer: Words }),
]);
export const newDecisionExample: z.infer<typeof NewDecision> = { decision: "deny", reason: "Not today." };
