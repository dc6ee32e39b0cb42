/** Reading a JSON request against a contract: too large, no JSON and wrong are told apart. */
import type { Context } from "hono";
import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { LIMITS } from "../../../shared/limits.ts";
import { readBody } from "../../../shared/body.ts";
import type { Env } from "../env.ts";
import { invalidRequest, problem } from "../problem.ts";

z.config(en());

/** @returns what was sent, or the problem to answer with. `schemaOf` may choose by what was sent. */
export async function readJson<Schema extends z.core.$ZodType>(
  c: Context<{ Bindings: Env }>,
  schemaOf: (sent: unknown) => Schema,
): Promise<z.output<Schema> | Response> {
  const body = await readBody(c.req.raw, LIMITS.api_body_bytes_max);
  if (body.cut) {
    const detail = `The body is larger than ${LIMITS.api_body_bytes_max} bytes.`;
    return problem({ status: 413, title: "Too large", detail });
  }
  let sent: unknown;
  try {
    sent = JSON.parse(body.text ?? "");
  } catch {
    return problem({ status: 400, title: "Not JSON", detail: "The body must be a JSON object in UTF-8." });
  }
  const parsed = z.safeParse(schemaOf(sent), sent);
  if (parsed.success) return parsed.data;
  return invalidRequest(parsed.error.issues.flatMap(faultsOf));
}

/** An unknown field is a fault of its own, at its own path. */
function faultsOf(issue: z.core.$ZodIssue): { path: string; message: string }[] {
  if (issue.code !== "unrecognized_keys") return [{ path: pathOf(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({ path: pathOf([...issue.path, key]), message: "Unknown field" }));
}

/** `["input","code"]` → `input.code`; a fault of the whole body has the path "". */
function pathOf(path: readonly PropertyKey[]): string {
  return path.map(String).join(".");
}
