/** Reading a request against a contract: too large, no JSON and wrong are told apart. */
import type { Context } from "hono";
import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { readBody } from "../../../shared/body.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { Env } from "../env.ts";
import { HttpProblem, invalidRequest } from "../problem.ts";

z.config(en());

/** What was sent; throws the problem to answer with. `schemaOf` may choose by what was sent. */
export async function readJson<Schema extends z.core.$ZodType>(
  c: Context<{ Bindings: Env }>,
  schemaOf: (sent: unknown) => Schema,
): Promise<z.output<Schema>> {
  const body = await readBody(c.req.raw, LIMITS.api_body_bytes_max);
  if (body.cut) {
    const detail = `The body is larger than ${LIMITS.api_body_bytes_max} bytes.`;
    throw new HttpProblem({ status: 413, title: "Too large", detail });
  }
  const sent = parseJson(body.text ?? "");
  const parsed = z.safeParse(schemaOf(sent), sent);
  if (parsed.success) return parsed.data;
  throw invalidRequest(parsed.error.issues.flatMap(listFaults));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const detail = "The body must be a JSON object in UTF-8.";
    throw new HttpProblem({ status: 400, title: "Not JSON", detail });
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

/** Their values, by the names that they are given here; throws with every fault. */
export function readFields<Fields extends Record<string, Field<z.core.$ZodType>>>(
  fields: Fields,
): { [Name in keyof Fields]: z.output<Fields[Name]["schema"]> } {
  const read = Object.entries(fields).map(([name, { path, given, schema, words }]) => ({
    name,
    fault: { path, message: words },
    parsed: z.safeParse(schema, given),
  }));
  const faults = read.filter(({ parsed }) => !parsed.success).map(({ fault }) => fault);
  if (faults.length > 0) throw invalidRequest(faults);
  const values = read.map(({ name, parsed }) => [name, parsed.data]);
  return Object.fromEntries(values);
}

/** An unknown field is a fault of its own, at its own path. */
function listFaults(issue: z.core.$ZodIssue): { path: string; message: string }[] {
  if (issue.code !== "unrecognized_keys") return [{ path: joinPath(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({ path: joinPath([...issue.path, key]), message: "Unknown field" }));
}

/** `["input","code"]` → `input.code`; a fault of the whole body has the path "". */
function joinPath(path: readonly PropertyKey[]): string {
  return path.map(String).join(".");
}
