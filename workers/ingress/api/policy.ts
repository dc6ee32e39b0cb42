/** `GET` and `PUT /v1/policy`: what the tools of a tenant may do by themselves. */
import { Hono } from "hono";
import type { PolicyView } from "../../../shared/contracts/control.ts";
import { TOOLS } from "../../../shared/contracts/tools/index.ts";
import { log } from "../../../shared/log.ts";
import { resolveCaps } from "../../../shared/policy/caps.ts";
import { decide } from "../../../shared/policy/decide.ts";
import { DEFAULT_POLICY, Policy, type Touched } from "../../../shared/policy/policy.ts";
import { readOwnPolicy, setPolicy } from "../../../shared/store/policies.ts";
import type { Env } from "../env.ts";
import { HttpProblem } from "../problem.ts";
import { authenticate, unwrapOutcome } from "./caller.ts";
import { readJson } from "./request.ts";

const NAMES = ["*", ...TOOLS.map(({ name }) => name)];

/** A rule for a tool that there is not, or of what no call tells together, would hold nothing back, in silence. */
const WantedPolicy = Policy.check(({ value, issues }) => {
  for (const [index, { tool, paths, commands }] of value.rules.entries()) {
    const refuse = (field: string, message: string) =>
      issues.push({ code: "custom", input: value, path: ["rules", index, field], message });
    if (!NAMES.includes(tool)) refuse("tool", `A tool's name, or *: ${NAMES.join(", ")}`);
    if (paths !== undefined && commands !== undefined)
      refuse("commands", "A script does not tell its paths: one rule for paths, and another for commands");
  }
});

export const policy = new Hono<{ Bindings: Env }>();

policy.get("/", async (c) => {
  const caller = await authenticate(c, "tasks", "tasks:read", "approvals");
  const set = unwrapOutcome(await readOwnPolicy(c.env.DB, caller), "tenant");
  const all = (name: string) => c.req.queries(name) ?? [];
  const touched = { urls: all("url"), paths: all("path"), scripts: all("command") };
  return c.json<PolicyView>(view(set, c.req.query("tool"), touched));
});

policy.put("/", async (c) => {
  const caller = await authenticate(c);
  const wanted = await readJson(c, () => WantedPolicy);
  unwrapOutcome(await setPolicy(c.env.DB, caller, wanted), "tenant");
  log("info", { stage: "ingress", effect: "policy set", rules: wanted.rules.length });
  return c.json<PolicyView>(view(wanted, undefined, {}));
});

function view(set: Policy | null, name: string | undefined, touched: Touched): PolicyView {
  const tools = TOOLS.filter((tool) => name === undefined || tool.name === name);
  if (tools.length === 0) {
    const detail = `Tools: ${TOOLS.map((tool) => tool.name).join(", ")}.`;
    throw new HttpProblem({ status: 404, title: "No such tool", detail });
  }
  const holding = set ?? DEFAULT_POLICY;
  return {
    policy: holding,
    caps: resolveCaps(holding.caps),
    is_default: set === null,
    tools: tools.map((tool) => ({ tool: tool.name, ...decide(holding, tool, touched) })),
  };
}
