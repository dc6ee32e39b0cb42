/** What the Workers need before they can be there: a subdomain, a database, a bucket, queues. */
import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { CloudflareError } from "./cloudflare-api.ts";
import type { Deployment } from "./deployment.ts";
import { QUEUES } from "./live.ts";
import type { Step } from "./step.ts";
import { WranglerError } from "./wrangler.ts";

/** "Already there": D1, R2 (two of them), queues. Who was killed between making it and hearing of it meets these. */
const TAKEN = new Set([7_502, 10_004, 10_073, 11_009]);
const TAKEN_WORDS = /already (?:exists|taken)|is already/i;

/** Steps for what is missing. Where data lies is settled when its place is made, and never again. */
export function planResources(deployment: Deployment): Step[] {
  const { target, live } = deployment;
  const { name, location } = target;
  const where = location === null ? [] : ["--location", location];
  const place = location === null ? "" : ` in ${location}`;
  const make = (what: string, args: readonly string[]): Step => ({
    what,
    run: () => makeOnce(deployment, args),
  });
  const missing = QUEUES.map((queue) => `${name}-${queue}`).filter((queue) => !live.queues.has(queue));
  return [
    ...(live.subdomain === null ? [registerSubdomain(deployment)] : []),
    ...(live.database === null
      ? [make(`makes the database ${name}${place}`, ["d1", "create", name, ...where])]
      : []),
    ...(live.hasBucket
      ? []
      : [
          make(`makes the bucket ${name}-files${place}`, [
            "r2",
            "bucket",
            "create",
            `${name}-files`,
            ...where,
          ]),
        ]),
    ...missing.map((queue) => make(`makes the queue ${queue}`, ["queues", "create", queue])),
  ];
}

async function makeOnce({ wrangler }: Deployment, args: readonly string[]): Promise<void> {
  try {
    await wrangler.run(args);
  } catch (error) {
    if (!(error instanceof WranglerError && (TAKEN.has(error.code) || TAKEN_WORDS.test(error.message))))
      throw error;
  }
}

/** workers.dev has one name for each account; the same account is offered the same one again. */
export function suggestSubdomain(accountId: string): string {
  return `errand-${createHash("sha256").update(accountId).digest("hex").slice(0, 8)}`;
}

/** wrangler registers one only where it can ask a person. https://developers.cloudflare.com/api/resources/workers/subresources/subdomains/ */
function registerSubdomain({ api, accountId }: Deployment): Step {
  const subdomain = suggestSubdomain(accountId);
  return {
    what: `registers ${subdomain}.workers.dev for the account, which has no subdomain yet`,
    async run() {
      const request = { method: "PUT", body: { subdomain } } as const;
      try {
        await api.call(`/accounts/${accountId}/workers/subdomain`, z.unknown(), request);
      } catch (error) {
        if (!(error instanceof CloudflareError) || error.status === 401 || error.status === 403) throw error;
        throw new Error(
          `${error.message} [code ${error.code}]\nChoose one yourself: https://dash.cloudflare.com/${accountId}/workers-and-pages`,
          { cause: error },
        );
      }
    },
  };
}
