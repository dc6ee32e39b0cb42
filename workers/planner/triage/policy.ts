/** `/policy [tool]`: what tools may do by themselves, in words. */
import { TOOLS } from "../../../shared/contracts/tools/index.ts";
import { decide } from "../../../shared/policy/decide.ts";
import { DEFAULT_POLICY, type PolicyRule } from "../../../shared/policy/policy.ts";
import { readPolicy } from "../../../shared/store/policies.ts";
import { formatCode } from "../../../shared/text.ts";

const SAYS = { allow: "by itself", ask: "asks first", deny: "never" } as const;

export async function describePolicy(db: D1Database, tenantId: string, name: string): Promise<string> {
  const tools = TOOLS.filter((tool) => name === "" || tool.name === name);
  if (tools.length === 0)
    return `I have no tool of that name. I have: ${TOOLS.map((tool) => tool.name).join(", ")}.`;
  const policy = (await readPolicy(db, tenantId)) ?? DEFAULT_POLICY;
  const verdicts = tools.map((tool) => {
    const { decision, why } = decide(policy, tool, {});
    return `- ${formatCode(tool.name)}: ${SAYS[decision]} (${why})`;
  });
  const rules = policy.rules.map((rule, index) => `${index + 1}. ${describeRule(rule)}`);
  const who =
    policy.approvers === "admins" ? "an admin of mine" : "whoever a task is for, or an admin of mine";
  const listed =
    rules.length === 0
      ? "There are no rules."
      : `Rules, of which the first that holds decides:\n${rules.join("\n")}`;
  return `${verdicts.join("\n")}\n\n${listed}\n\nWhat asks is approved by ${who}.`;
}

function describeRule({ tool, decision, hosts, paths, commands }: PolicyRule): string {
  const on = [
    ...(hosts === undefined ? [] : [`hosts ${hosts.map(formatCode).join(", ")}`]),
    ...(paths === undefined ? [] : [`paths ${paths.map(formatCode).join(", ")}`]),
    ...(commands === undefined ? [] : [`commands ${commands.map(formatCode).join(", ")}`]),
  ];
  const where = on.length === 0 ? "" : `, on ${on.join(" and ")}`;
  return `${tool === "*" ? "every tool" : formatCode(tool)}: ${decision}${where}`;
}
