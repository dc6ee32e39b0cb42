/** `GET /v1/usage`: what of today's spending limits is used, and when they renew. */
import { Hono } from "hono";
import type { UsageView } from "../../../shared/contracts/control.ts";
import { dayOf, type HeldCap, renewalOf, resolveCaps } from "../../../shared/policy/caps.ts";
import { type Amount, readKeyUsage } from "../../../shared/store/usage.ts";
import type { Env } from "../env.ts";
import { authenticate, shortenKey, unwrapOutcome } from "./caller.ts";
import { formatTime } from "./view.ts";

export const usage = new Hono<{ Bindings: Env }>();

usage.get("/", async (c) => {
  const caller = await authenticate(c, "tasks", "tasks:read", "approvals");
  const { own, everybody, senders, caps } = unwrapOutcome(await readKeyUsage(c.env.DB, caller), "key");
  const held = resolveCaps(caps);
  const renewsAt = renewalOf(dayOf(caller.now));
  return c.json<UsageView>({
    renews_at: formatTime(renewsAt),
    key: { ...viewAmount(own), ...viewCap(held.key_day) },
    everybody: { ...viewAmount(everybody), ...viewCap(held.tenant_day) },
    senders: senders.map(({ sender, ...spent }) => ({ sender: shortenKey(sender), ...viewAmount(spent) })),
  });
});

const viewAmount = ({ tokens, micro_usd }: Amount) => ({ tokens, usd: micro_usd / 1_000_000 });

const viewCap = ({ tokens, usd }: HeldCap) => ({ tokens_max: tokens, usd_max: usd });
