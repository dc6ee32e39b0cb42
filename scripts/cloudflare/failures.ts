/** What stands in the way on an account, and how it is mended. Codes: https://developers.cloudflare.com/workers/observability/errors/ */
import { CloudflareError } from "./cloudflare-api.ts";
import { WranglerError } from "./wrangler.ts";

const PERMISSIONS = [
  { key: "workers_scripts", type: "edit" },
  { key: "d1", type: "edit" },
  { key: "queues", type: "edit" },
  { key: "workers_r2", type: "edit" },
  { key: "containers", type: "edit" },
  { key: "account_settings", type: "read" },
];
/** A form on Cloudflare's dashboard, filled in. https://developers.cloudflare.com/fundamentals/api/how-to/account-owned-token-template/ */
export const TOKEN_LINK = `https://dash.cloudflare.com/profile/api-tokens?permissionGroupKeys=${encodeURIComponent(JSON.stringify(PERMISSIONS))}&accountId=*&zoneId=all&name=Errand`;
const SCOPES =
  "Workers Scripts Edit, D1 Edit, Queues Edit, Workers R2 Storage Edit and Account Settings Read; with containers (ERRAND_HANDS) also Containers Edit, with --domain Workers Routes Edit and Zone Read of the zone";

const UNAUTHORIZED = new Set([9_109, 10_000, 10_001, 10_023, 6_003, 6_111, 1_000, 1_001]);
/** Dynamic Workers, and limits on CPU time, belong to Workers Paid. 10021 says it in words only. */
const PAID_ONLY = new Set([10_195, 100_328]);
const NO_R2 = new Set([10_042, 10_084]);

export function isPaidOnly(error: unknown): boolean {
  if (!(error instanceof WranglerError)) return false;
  return (
    PAID_ONLY.has(error.code) || (error.code === 10_021 && /\bLOADER\b|worker_loader/.test(error.message))
  );
}

/** Cloudflare's words with their code, and under them what to do. */
export function explainFailure(error: unknown, accountId: string): string {
  const words = error instanceof Error ? error.message : String(error);
  if (!(error instanceof WranglerError || error instanceof CloudflareError)) return words;
  const said = error.code === 0 ? words : `${words} [code ${error.code}]`;
  const mend = findMend(error, accountId);
  return mend === null ? said : `${said}\n${mend}`;
}

function findMend(error: WranglerError | CloudflareError, accountId: string): string | null {
  const { code, message } = error;
  if (NO_R2.has(code))
    return `R2 has to be enabled once, by a person (its free part costs nothing): https://dash.cloudflare.com/${accountId || "?to=/:account"}/r2/overview`;
  const isForbidden = error instanceof CloudflareError && (error.status === 401 || error.status === 403);
  if (
    isForbidden ||
    UNAUTHORIZED.has(code) ||
    /Authentication error|not authorized|tokens\/verify/i.test(message)
  )
    return `CLOUDFLARE_API_TOKEN is none (any more), or may not do this${accountId === "" ? "" : ` on the account ${accountId}`}. It needs ${SCOPES}. This link fills in the form:\n${TOKEN_LINK}`;
  if (/CLOUDFLARE_API_TOKEN|not logged in/i.test(message)) return `Make a token here: ${TOKEN_LINK}`;
  if (isPaidOnly(error))
    return `It needs the plan Workers Paid: https://dash.cloudflare.com/${accountId}/workers/plans`;
  if (code === 10_143)
    return "A Worker that this one calls is not there: deploy again, which makes them in their order.";
  if (code === 7_406 || /databases? .*limit|limit .*databases?/i.test(message))
    return "The account has as many databases as its plan allows: delete one, or take another plan.";
  if (code === 10_037 || code === 10_038) return "The account has as many Workers as its plan allows.";
  return null;
}
