/** How Cloudflare is reached: with which token, and which account. */
import * as z from "zod/mini";
import type { Settings } from "../installation/settings.ts";
import { CloudflareApi } from "./cloudflare-api.ts";
import { TOKEN_LINK } from "./failures.ts";
import type { InstallationRecord } from "./record.ts";
import { makeWrangler, type Wrangler, WranglerError } from "./wrangler.ts";

const API = "https://api.cloudflare.com/client/v4";
/** wrangler's own variable, which moves it to another API, too. */
export const apiBaseUrl = () => (process.env["CLOUDFLARE_API_BASE_URL"] ?? API).replace(/\/+$/, "");

export interface Access {
  readonly api: CloudflareApi;
  readonly accountId: string;
  readonly wrangler: Wrangler;
}

export type MakeWrangler = typeof makeWrangler;

const Login = z.object({ token: z.string() });
const Accounts = z.array(z.object({ id: z.string(), name: z.string() }));

/** Throws in words when nobody is logged in, or when nobody can tell which account is meant. */
export async function findAccess(
  settings: Settings,
  record: InstallationRecord,
  make: MakeWrangler = makeWrangler,
): Promise<Access> {
  const { CLOUDFLARE_API_TOKEN: given } = settings;
  const token = given ?? (await findLogin(make({ id: "", token: null })));
  const api = new CloudflareApi({ baseUrl: apiBaseUrl(), token });
  const accountId = settings["CLOUDFLARE_ACCOUNT_ID"] ?? record.account ?? (await findAccount(api));
  if (record.account !== null && record.account !== accountId)
    throw new Error(
      `${record.name} is on the account ${record.account}, not on ${accountId}. Another account takes another name: --name other`,
    );
  return { api, accountId, wrangler: make({ id: accountId, token: given ?? null }) };
}

async function findLogin(wrangler: Wrangler): Promise<string> {
  try {
    const { stdout } = await wrangler.run(["auth", "token", "--json"]);
    return Login.parse(JSON.parse(stdout)).token;
  } catch (error) {
    if (!(error instanceof WranglerError)) throw error;
    throw new Error(
      `There is no CLOUDFLARE_API_TOKEN, and nobody is logged in. Make a token, and put it into .prod.vars:\n${TOKEN_LINK}\nOr log in: npx wrangler login`,
      { cause: error },
    );
  }
}

async function findAccount(api: CloudflareApi): Promise<string> {
  const accounts = await api.call("/accounts?per_page=50", Accounts);
  const [only] = accounts;
  if (only !== undefined && accounts.length === 1) return only.id;
  const listed = accounts.map(({ id, name }) => `  ${id}  ${name}`).join("\n");
  throw new Error(
    accounts.length === 0
      ? `The token sees no account. It needs Account Settings Read: ${TOKEN_LINK}`
      : `The token sees several accounts. Say which one, as CLOUDFLARE_ACCOUNT_ID:\n${listed}`,
  );
}
