/** `/usage`: what of today's spending limits is used, and when they renew. */
import {
  dayOf,
  formatAmount,
  formatRenewal,
  type HeldCap,
  renewalOf,
  resolveCaps,
  toMicroUsd,
} from "../../../shared/policy/caps.ts";
import { type Amount, readPersonUsage } from "../../../shared/store/usage.ts";
import type { Speaker } from "./where.ts";

export async function describeUsage(
  db: D1Database,
  tenantId: string,
  { by, isAdmin }: Speaker,
): Promise<string> {
  const now = Date.now();
  const usage = await readPersonUsage(db, { tenantId, sender: by }, now);
  const caps = resolveCaps(usage.caps);
  const lines = [
    `Today: ${describe(usage.own, caps.person_day)}.`,
    ...(isAdmin ? [`Everybody together: ${describe(usage.everybody, caps.tenant_day)}.`] : []),
    `One task may spend ${formatAmount({ ...caps.task, microUsd: toMicroUsd(caps.task.usd) })}.`,
    `Days renew ${formatRenewal(renewalOf(dayOf(now)), now)}. What is under way is counted as what it may cost.`,
  ];
  return lines.join("\n");
}

function describe({ tokens, micro_usd: microUsd }: Amount, cap: HeldCap): string {
  return `${formatAmount({ tokens, microUsd })} of ${formatAmount({ ...cap, microUsd: toMicroUsd(cap.usd) })}`;
}
