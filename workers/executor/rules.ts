/** What the policy says of single files that a call comes to touch, where its input did not name them. */
import { type AskedTool, decide } from "../../shared/policy/decide.ts";
import type { Policy, PolicyRule } from "../../shared/policy/policy.ts";

/** @returns why a path is not to be touched; null where nothing speaks against it. */
export function makePathRules(policy: Policy, tool: AskedTool): (path: string) => string | null {
  const rules = policy.rules.map((rule) => (concernsPaths(rule) ? rule : { ...rule, tool: NO_TOOL }));
  return (path) => {
    const { decision, why } = decide({ ...policy, rules }, tool, { paths: [path] });
    return decision === "allow" ? null : why;
  };
}

/**
 * Whether code may run scripts by itself: not where a rule might hold back what a call of its own would have asked for, by commands, or
 * of another tool than the code's. Rules that are the same for both, and those on hosts, hold for the code as well.
 */
export function mayRunScripts({ rules }: Policy, tool: AskedTool): boolean {
  const isOfCode = ({ tool: name, paths, hosts }: PolicyRule) =>
    name === tool.name || hosts !== undefined || (name === "*" && paths !== undefined);
  return rules.every((rule) => rule.decision === "allow" || (rule.commands === undefined && isOfCode(rule)));
}

/** The others have decided on the call itself, which was approved where they ask. What closes a list of what is allowed holds for files too. */
const concernsPaths = ({ decision, paths, hosts, commands }: PolicyRule) =>
  paths !== undefined ||
  decision === "allow" ||
  (decision === "deny" && hosts === undefined && commands === undefined);

/** In place of a rule that does not count, so that the others keep their numbers. */
const NO_TOOL = "";
