/** A tenant's policy: what its tools may do by themselves, what needs a person, and what is refused. */
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { Caps } from "./caps.ts";
import { readHostPattern, readPath } from "./patterns.ts";
import { readCommands } from "./scripts.ts";

const Pattern = z.string().check(z.minLength(1), z.maxLength(LIMITS.policy_pattern_chars_max));
const listOf = <One extends z.ZodMiniType>(one: One) =>
  z.array(one).check(z.minLength(1), z.maxLength(LIMITS.policy_patterns_max));

/** A pattern that could never match would hold nothing back, in silence: it is refused when it is set. */
const HostPattern = Pattern.check(
  z.refine((pattern) => readHostPattern(pattern) !== null, "A host, such as example.org, *.example.org or *"),
);
const PathPattern = Pattern.check(
  z.refine(isPathPattern, "A path of the workspace as it is listed, such as inbox/* or reports/**"),
);
const CommandPattern = Pattern.check(
  z.refine(
    (pattern) => readCommands(pattern.replaceAll("*", "any"))?.length === 1,
    "The words that one command begins with, without quotes or signs, such as git status or npm run *",
  ),
);

function isPathPattern(pattern: string): boolean {
  const segments = readPath(pattern);
  return segments?.join("/") === pattern && segments.length <= LIMITS.policy_segments_max;
}

/** By what is severer: what is denied is not asked for. */
export const Verb = z.enum(["allow", "ask", "deny"]);
export type Verb = z.infer<typeof Verb>;

/**
 * One rule. `allow` holds where everything that a call touches is listed; `ask` and `deny` where anything is. Kinds that are not listed
 * do not matter.
 */
export const PolicyRule = z.strictObject({
  /** Its name, or `*` for every tool. */
  tool: Pattern,
  decision: Verb,
  /** `example.org`, `*.example.org` for everything below it, `*`. */
  hosts: z.optional(listOf(HostPattern)),
  /** `inbox/*`, `reports/**`. */
  paths: z.optional(listOf(PathPattern)),
  /** The words that a command begins with: `git status`, `npm run *`. */
  commands: z.optional(listOf(CommandPattern)),
});
export type PolicyRule = z.infer<typeof PolicyRule>;

export const Policy = z.strictObject({
  /** The first that holds decides. Where none does, what only reads is allowed, and what acts on the world asks. */
  rules: z.array(PolicyRule).check(z.maxLength(LIMITS.policy_rules_max)),
  /** Hosts inside a private network, by name or address, that may be reached all the same. */
  inside_hosts: z.array(HostPattern).check(z.maxLength(LIMITS.policy_patterns_max)),
  /** Who decides beside an admin: whoever the task is for, or nobody. */
  approvers: z.enum(["person", "admins"]),
  /** What may be spent on models; what is left out keeps its default. */
  caps: z.optional(Caps),
});
export type Policy = z.infer<typeof Policy>;

export const DEFAULT_POLICY: Policy = { rules: [], inside_hosts: [], approvers: "person" };

export const policyExample: Policy = {
  rules: [{ tool: "*", decision: "ask", hosts: ["*.example.org"] }],
  inside_hosts: ["wiki.example.internal"],
  approvers: "admins",
  caps: { person_day: { tokens: 500_000, usd: 2 } },
};

/** What a call would touch, as far as its input tells. */
export interface Touched {
  readonly urls?: readonly string[];
  readonly paths?: readonly string[];
  readonly scripts?: readonly string[];
}
