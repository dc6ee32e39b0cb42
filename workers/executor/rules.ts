/** What the policy says of single files that a call comes to touch, where its input did not name them. */
import { type AskedTool, decide } from "../../shared/policy/decide.ts";
import { DEFAULT_POLICY, type PolicyRule } from "../../shared/policy/policy.ts";
import { readPolicyOf } from "../../shared/store/policies.ts";
import type { ToolContext } from "./tools/tool.ts";

type Asking = Pick<ToolContext, "env" | "conversationId">;

/** @returns why a path is not to be touched; null where nothing speaks against it. */
export async function readPathRules(
  { env, conversationId }: Asking,
  tool: AskedTool,
): Promise<(path: string) => string | null> {
  const policy = (await readPolicyOf(env.DB, conversationId)) ?? DEFAULT_POLICY;
  const rules = policy.rules.map((rule) => (concernsPaths(rule) ? rule : { ...rule, tool: NO_TOOL }));
  return (path) => {
    const { decision, why } = decide({ ...policy, rules }, tool, { paths: [path] });
    return decision === "allow" ? null : why;
  };
}

/** Whether code may run scripts by itself: not where the policy holds back what a call of its own would have asked for. */
export async function mayRunScripts({ env, conversationId }: Asking, tool: AskedTool): Promise<boolean> {
  const { rules } = (await readPolicyOf(env.DB, conversationId)) ?? DEFAULT_POLICY;
  return rules.every(
    (rule) => rule.decision === "allow" || rule.tool === tool.name || rule.paths !== undefined,
  );
}

/** The others have decided on the call itself, which was approved where they ask. */
const concernsPaths = ({ paths, decision }: PolicyRule) => paths !== undefined || decision === "allow";

/** In place of a rule that does not count, so that the others keep their numbers. */
const NO_TOOL = "";
