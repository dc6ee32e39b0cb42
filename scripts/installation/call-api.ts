/** The installation that a command speaks to: this machine's, one that was deployed from here, or the one that the environment names. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { ProblemDetails } from "../../shared/contracts/api.ts";
import { fetchDirect, RedirectError } from "../../shared/fetch.ts";

const ANSWERS_MS_MAX = 30_000;

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
    signal: AbortSignal.timeout(ANSWERS_MS_MAX),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    if (error instanceof RedirectError) throw error;
    throw new Error(
      where.name === undefined
        ? `Nothing answers at ${url}. Is it running? npm start`
        : `Nothing answers at ${url}. Are you online? A new address takes some minutes. What is wrong: npm run doctor -- --name ${where.name}`,
    );
  });
  const answer: unknown = await response.json().catch(() => {
    throw strange(url, response.status);
  });
  const read = z.safeParse(answers, answer);
  if (response.ok && read.success) return read.data;
  const problem = ProblemDetails.safeParse(answer);
  if (!response.ok && problem.success) throw new Error(`${problem.data.title}: ${problem.data.detail}`);
  throw strange(url, response.status);
}

function strange(url: string, status: number): Error {
  return new Error(
    `${url} answers HTTP ${status}, and not as Errand does: another program or version, a new address, or something in front of it.`,
  );
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
  const text = await readFile(file, "utf8").catch(async () => {
    const names = (await readdir(dirname(file)).catch(() => [])).filter((name) => name.endsWith(".json"));
    const known = dirname(file) === DEPLOY_FOLDER ? names.map((name) => name.slice(0, -".json".length)) : [];
    throw new Error(
      known.length > 0
        ? `There is no ${file}. Known here: ${known.join(", ")}.`
        : `There is no ${file}: start Errand first (${start}), or set ERRAND_URL and ERRAND_API_KEY.`,
    );
  });
  const { url, apiKey } = parseKnown(text, file);
  if (url === null || apiKey === null)
    throw new Error(
      `${file} holds no address and key: ${start} --new-key makes another, or set ERRAND_URL and ERRAND_API_KEY.`,
    );
  return { url, apiKey };
}

function parseKnown(text: string, file: string): z.infer<typeof Known> {
  try {
    return Known.parse(JSON.parse(text));
  } catch {
    throw new Error(`${file} cannot be read: mend it, or set ERRAND_URL and ERRAND_API_KEY.`);
  }
}
