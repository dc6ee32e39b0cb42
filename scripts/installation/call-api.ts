/** The installation that a command speaks to: this machine's, one that was deployed from here, or the one that the environment names. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { ProblemDetails } from "../../shared/contracts/api.ts";
import { fetchDirect, RedirectError } from "../../shared/fetch.ts";

/** What this machine remembers of installations on Cloudflare. */
export const DEPLOY_FOLDER = ".errand/deploy";

/** The options by which every command is told where to. */
export const WHERE_OPTIONS = {
  state: { type: "string", default: ".errand" },
  name: { type: "string" },
} as const;

export interface Where {
  /** The folder of an installation on this machine. */
  readonly state: string;
  /** One on Cloudflare, by its name. */
  readonly name?: string | undefined;
}

/** Calls its API and reads the answer. Throws in words when it refuses, or when nobody is there. */
export async function callApi<Answer extends z.core.$ZodType>(
  answers: Answer,
  { where, method, path, body }: { where: Where; method: string; path: string; body?: unknown },
): Promise<z.output<Answer>> {
  const { url, apiKey } = await findInstallation(where);
  const response = await fetchDirect(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    if (error instanceof RedirectError) throw error;
    throw new Error(
      `Nothing answers at ${url}.${where.name === undefined ? " Is it running? npm start" : ""}`,
    );
  });
  const answer: unknown = JSON.parse(await response.text());
  if (response.ok) return z.parse(answers, answer);
  const { title, detail } = ProblemDetails.parse(answer);
  throw new Error(`${title}: ${detail}`);
}

const Known = z.object({ url: z.nullable(z.string()), apiKey: z.nullable(z.string()) });

async function findInstallation({ state, name }: Where): Promise<{ url: string; apiKey: string }> {
  if (name !== undefined && !/^[a-z][a-z0-9-]*$/.test(name))
    throw new Error(`--name must be that of an installation, such as errand; not "${name}".`);
  if (name !== undefined)
    return readKnown(join(DEPLOY_FOLDER, `${name}.json`), `npm run deploy -- --name ${name}`);
  const { ERRAND_URL: url, ERRAND_API_KEY: apiKey } = process.env;
  if (url !== undefined && apiKey !== undefined) return { url: url.replace(/\/+$/, ""), apiKey };
  return readKnown(join(state, "local.json"), "npm start");
}

/** @param start what makes the file. */
async function readKnown(file: string, start: string): Promise<{ url: string; apiKey: string }> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new Error(
      `There is no ${file}: start Errand first (${start}), or set ERRAND_URL and ERRAND_API_KEY.`,
    );
  });
  const { url, apiKey } = Known.parse(JSON.parse(text));
  if (url === null || apiKey === null)
    throw new Error(`${file} holds no key: set ERRAND_URL and ERRAND_API_KEY, or let ${start} make one.`);
  return { url, apiKey };
}
