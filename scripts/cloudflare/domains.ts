/** Hosts that lead to an installation. wrangler attaches them, and detaches none. https://developers.cloudflare.com/api/resources/workers/subresources/domains/ */
import * as z from "zod/mini";
import type { Deployment } from "./deployment.ts";
import { Domains } from "./live.ts";
import type { Step } from "./step.ts";

/** A host that is to lead here anew; null when it does already, or when there is none. Throws when it leads to another Worker. */
export async function findNewDomain({ api, accountId, target, live }: Deployment): Promise<string | null> {
  const { domain, name } = target;
  if (domain === null || live.domains.some(({ hostname }) => hostname === domain)) return null;
  const found = await api.find(`/accounts/${accountId}/workers/domains?hostname=${domain}`, Domains);
  const owner = found?.find(({ hostname, service }) => hostname === domain && service !== `${name}-ingress`);
  if (owner !== undefined)
    throw new Error(
      `${domain} leads to the Worker ${owner.service}. Take it from there first, or choose another --domain.`,
    );
  return domain;
}

/** Steps for the hosts that are to lead here no more. `kept`: the one that stays. */
export function planDetaching({ api, accountId, live, target }: Deployment, kept: string | null): Step[] {
  return live.domains
    .filter(({ hostname }) => hostname !== kept)
    .map(({ id, hostname }) => ({
      what: `detaches ${hostname} from ${target.name}-ingress`,
      run: async () => {
        await api.call(`/accounts/${accountId}/workers/domains/${id}`, z.unknown(), { method: "DELETE" });
      },
    }));
}
