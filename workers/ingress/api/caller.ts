/** Who calls: the key of a request, checked in the same round trip as the work it asks for. */
import type { Context } from "hono";
import { sha256Hex } from "../../../shared/ids.ts";
import type { Env } from "../env.ts";
import { problem } from "../problem.ts";

export interface Caller {
  /** The tenant that the key claims. The store believes it only together with the hash. */
  tenantId: string;
  keyHash: string;
}

const API_KEY = /^Bearer (errand_([a-z0-9-]+)_[\w-]{20,200})$/;

/** The caller, or null when there is no key of the right shape: keys are `errand_<tenant>_<secret>`. */
export async function callerOf(c: Context<{ Bindings: Env }>): Promise<Caller | null> {
  const [, key, tenantId] = API_KEY.exec(c.req.header("authorization") ?? "") ?? [];
  if (key === undefined || tenantId === undefined) return null;
  return { tenantId, keyHash: await sha256Hex(key) };
}

export function unauthorized(): Response {
  return problem({
    status: 401,
    title: "No valid API key",
    detail: "Send the header `Authorization: Bearer errand_…` with a key of this installation.",
  });
}
