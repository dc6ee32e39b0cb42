/** Who calls: the key of a request, checked in the same round trip as the work it asks for. */
import type { Context } from "hono";
import { sha256Hex } from "../../../shared/ids.ts";
import type { Found, NotFound, Unauthorized } from "../../../shared/store/outcome.ts";
import type { Env } from "../env.ts";
import { HttpProblem, notFound } from "../problem.ts";

export interface Caller {
  /** The tenant that the key claims. The store believes it only together with the hash. */
  tenantId: string;
  keyHash: string;
}

const API_KEY = /^Bearer (errand_([a-z0-9-]+)_[\w-]{20,200})$/;

/** The caller. Throws when there is no key of the right shape: keys are `errand_<tenant>_<secret>`. */
export async function authenticate(c: Context<{ Bindings: Env }>): Promise<Caller> {
  const [, key, tenantId] = API_KEY.exec(c.req.header("authorization") ?? "") ?? [];
  if (key === undefined || tenantId === undefined) throw unauthorized();
  return { tenantId, keyHash: await sha256Hex(key) };
}

/** What the store has found. Throws when the key is nobody's, or there is no such thing of its tenant's. */
export function unwrapOutcome<Value>(
  outcome: Found<Value> | NotFound | Unauthorized,
  what: string,
  detail = "",
): Value {
  if (outcome.kind === "ok") return outcome.value;
  throw outcome.kind === "unauthorized" ? unauthorized() : notFound(what, detail);
}

export function unauthorized(): HttpProblem {
  return new HttpProblem({
    status: 401,
    title: "No valid API key",
    detail: "Send the header `Authorization: Bearer errand_…` with a key of this installation.",
  });
}
