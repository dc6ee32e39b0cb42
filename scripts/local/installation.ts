/** The installation that a command speaks to: this machine's, or the one that the environment names. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { ProblemDetails } from "../../shared/contracts/api.ts";
import { fetchDirect, RedirectError } from "../../shared/fetch.ts";

/** Calls its API and reads the answer. Throws in words when it refuses, or when nobody is there. */
export async function callApi<Answer extends z.core.$ZodType>(
  answers: Answer,
  { state, method, path, body }: { state: string; method: string; path: string; body?: unknown },
): Promise<z.output<Answer>> {
  const { url, apiKey } = await installation(state);
  const response = await fetchDirect(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    if (error instanceof RedirectError) throw error;
    throw new Error(`Nothing answers at ${url}. Is it running? npm start`);
  });
  const answer: unknown = JSON.parse(await response.text());
  if (response.ok) return z.parse(answers, answer);
  const { title, detail } = ProblemDetails.parse(answer);
  throw new Error(`${title}: ${detail}`);
}

async function installation(state: string): Promise<{ url: string; apiKey: string }> {
  const { ERRAND_URL: url, ERRAND_API_KEY: apiKey } = process.env;
  if (url !== undefined && apiKey !== undefined) return { url: url.replace(/\/+$/, ""), apiKey };
  const file = join(state, "local.json");
  const text = await readFile(file, "utf8").catch(() => {
    throw new Error(
      `There is no ${file}: start Errand first (npm start), or set ERRAND_URL and ERRAND_API_KEY.`,
    );
  });
  return JSON.parse(text);
}
