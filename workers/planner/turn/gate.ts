/** What the tenant's policy makes of a turn's calls: made, asked about first, or refused. */
import { findTool, readAskedCall, refuseCall, type ToolCall } from "../../../shared/contracts/tools/index.ts";
import type { Turn } from "../../../shared/contracts/turn.ts";
import { decide } from "../../../shared/policy/decide.ts";
import type { Policy } from "../../../shared/policy/policy.ts";

/** A turn, and of each of its calls why it waits for a person; null for one that does not. */
export interface GatedTurn {
  readonly planned: Turn;
  readonly gates: readonly (string | null)[];
}

/** A call that is refused becomes one that says so: whoever asked for it hears why. */
export function gateTurn(policy: Policy, planned: Turn): GatedTurn {
  const gated = planned.calls.map((call) => gateCall(policy, call));
  return {
    planned: { ...planned, calls: gated.map(({ call }) => call) },
    gates: gated.map(({ gate }) => gate),
  };
}

function gateCall(policy: Policy, call: ToolCall): { call: ToolCall; gate: string | null } {
  const tool = findTool(call.tool);
  if (tool === undefined || call.tool === "invalid_call") return { call, gate: null };
  const { decision, why } = decide(policy, tool, tool.touches(call.input));
  if (decision === "deny") {
    const { name, input } = readAskedCall(call);
    return { call: refuseCall(name, input, `the policy refuses it (${why})`), gate: null };
  }
  // Its answer is all that it does: to ask whether it may ask would be asking twice.
  if (tool.asks(call.input) !== null) return { call, gate: "it is a question" };
  const who = policy.approvers === "admins" ? "; only an admin of mine may approve it" : "";
  return { call, gate: decision === "ask" ? `${why}${who}` : null };
}
