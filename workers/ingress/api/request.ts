/** Reading a request against a contract: too large, no JSON and wrong are told apart. */
import type { Context } from "hono";
import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { readBody } from "../../../shared/body.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { isApiKey } from "../../../shared/store/api-keys.ts";
import { toOneLine } from "../../../shared/text.ts";
import type { Env } from "../env.ts";
import { HttpProblem, invalidRequest } from "../problem.ts";
import { authenticate, unauthorized } from "./caller.ts";

z.config(en());

const PATH_CHARS_SHOWN = 100;

type Api = Context<{ Bindings: Env }>;

/** The problem, for whoever has a key: what strangers send is not explained to them. Without faults the key is checked by the batch that does the work. */
async function refuse(c: Api, problem: HttpProblem): Promise<HttpProblem> {
  return (await isApiKey(c.env.DB, await authenticate(c))) ? problem : unauthorized();
}

/** What was sent; throws the problem to answer with. `schemaOf` may choose by what was sent. */
export async function readJson<Schema extends z.core.$ZodType>(
  c: Api,
  schemaOf: (sent: unknown) => Schema,
): Promise<z.output<Schema>> {
  const body = await readBody(c.req.raw, LIMITS.api_body_bytes_max);
  if (body.cut) {
    const detail = `The body is larger than ${LIMITS.api_body_bytes_max} bytes.`;
    throw await refuse(c, new HttpProblem({ status: 413, title: "Too large", detail }));
  }
  const sent = parseJson(body.text ?? "");
  if (sent === undefined) {
    const detail = "The body must be a JSON object in UTF-8.";
    throw await refuse(c, new HttpProblem({ status: 400, title: "Not JSON", detail }));
  }
  const parsed = z.safeParse(schemaOf(sent), sent);
  if (parsed.success) return parsed.data;
  throw await refuse(c, invalidRequest(parsed.error.issues.flatMap(listFaults)));
}

/** Undefined: it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What stands beside the body: headers and query. */
export interface Field<Schema extends z.core.$ZodType> {
  readonly path: string;
  readonly given: string | undefined;
  readonly schema: Schema;
  /** What it must be, in words. */
  readonly words: string;
}

/** Their values, by the names that they are given here; throws the problem with their faults. */
export async function readFields<Fields extends Record<string, Field<z.core.$ZodType>>>(
  c: Api,
  fields: Fields,
): Promise<{ [Name in keyof Fields]: z.output<Fields[Name]["schema"]> }> {
  const read = Object.entries(fields).map(([name, { path, given, schema, words }]) => ({
    name,
    fault: { path, message: words },
    parsed: z.safeParse(schema, given),
  }));
  const faults = read.filter(({ parsed }) => !parsed.success).map(({ fault }) => fault);
  if (faults.length > 0) throw await refuse(c, invalidRequest(faults));
  const values = read.map(({ name, parsed }) => [name, parsed.data]);
  return Object.fromEntries(values);
}

/** An unknown field is a fault of its own, at its own path. */
function listFaults(issue: z.core.$ZodIssue): { path: string; message: string }[] {
  if (issue.code !== "unrecognized_keys") return [{ path: joinPath(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({ path: joinPath([...issue.path, key]), message: "Unknown field" }));
}

/** `["input","code"]` → `input.code`; a fault of the whole body has the path "". Names of unknown fields are as long as somebody likes. */
function joinPath(path: readonly PropertyKey[]): string {
  return toOneLine(path.map(String).join("."), PATH_CHARS_SHOWN);
}
