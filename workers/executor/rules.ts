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

/** Whether code may run scripts by itself: not where the policy holds back what a call of its own would have asked for. */
export function mayRunScripts({ rules }: Policy, tool: AskedTool): boolean {
  const holdsBack = ({ decision, tool: name, paths, commands }: PolicyRule) =>
    decision !== "allow" && (commands !== undefined || (name !== tool.name && paths === undefined));
  return !rules.some(holdsBack);
}

/** The others have decided on the call itself, which was approved where they ask. */
const concernsPaths = ({ paths, decision }: PolicyRule) => paths !== undefined || decision === "allow";

/** In place of a rule that does not count, so that the others keep their numbers. */
const NO_TOOL = "";
