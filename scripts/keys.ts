/** `npm run keys -- list | create --scopes … --label … | revoke <id>`: who may use the API, and for what. */
import { parseArgs } from "node:util";
import { KeyPage, MadeKey, Revoked } from "../shared/contracts/api.ts";
import { Scope } from "../shared/contracts/key.ts";
import { command } from "./installation/command.ts";
import { callApi, WHERE_OPTIONS } from "./installation/call-api.ts";

const USAGE = `Usage: npm run keys -- [--state .errand | --name errand] <command>
  list                                    every key: what it may do, until when, and when it was last used
  create --scopes tasks,tasks:read        makes one, and shows it once
         [--label "the shop"] [--expires 30]   expires after so many days; without it, never
  revoke <id>                             takes one away
Scopes: ${Scope.options.join(", ")}. docs/api.md says what each may do.
--name speaks to one on Cloudflare that was deployed from here; ERRAND_URL and ERRAND_API_KEY name any other.`;

const DAY_MS = 24 * 3_600_000;
const at = { path: "/v1/keys" };

await command(USAGE, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...WHERE_OPTIONS,
      scopes: { type: "string" },
      label: { type: "string", default: "" },
      expires: { type: "string" },
    },
  });
  const [what = "", id = ""] = positionals;
  const { label } = values;
  const where = values;
  if (what === "list") return list((await callApi(KeyPage, { where, method: "GET", ...at })).keys);
  if (what === "revoke" && id !== "") {
    await callApi(Revoked, { where, method: "DELETE", path: `${at.path}/${encodeURIComponent(id)}` });
    return console.log(`${id} is no key any more.`);
  }
  if (what !== "create" || values.scopes === undefined) throw new Error(USAGE);
  const scopes = values.scopes.split(",").map((scope) => scope.trim());
  const unknown = scopes.find((scope) => !Scope.safeParse(scope).success);
  if (unknown !== undefined)
    throw new Error(`"${unknown}" is no scope. Scopes: ${Scope.options.join(", ")}.`);
  const expiry = readExpiry(values.expires);
  const body = { label, scopes, ...expiry };
  const made = await callApi(MadeKey, { where, method: "POST", ...at, body });
  console.log(`${made.key}\n\nIt is shown only now. Its id is ${made.id}.`);
});

function readExpiry(days: string | undefined): { expires_at?: string } {
  if (days === undefined) return {};
  if (!/^[1-9]\d{0,3}$/.test(days)) throw new Error(`--expires takes a number of days, not "${days}".`);
  return { expires_at: new Date(Date.now() + Number(days) * DAY_MS).toISOString() };
}

function list(keys: KeyPage["keys"]): void {
  for (const { id, label, scopes, expires_at, last_used_at, is_this } of keys) {
    const used = last_used_at === null ? "never used" : `used ${last_used_at}`;
    const until = expires_at === null ? "" : `, until ${expires_at}`;
    console.log(
      `${id}  ${scopes.join(" ").padEnd(16)}  ${used}${until}  ${label}${is_this ? " (this one)" : ""}`,
    );
  }
}
