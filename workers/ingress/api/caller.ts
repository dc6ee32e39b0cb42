/** Who calls: the key of a request, checked in the same round trip as the work it asks for. */
import type { Context } from "hono";
import { sha256Hex } from "../../../shared/ids.ts";
import { readTimings } from "../../../shared/config.ts";
import type { Scope } from "../../../shared/contracts/key.ts";
import { touchKey } from "../../../shared/store/api-keys.ts";
import type { Found, NotFound, Refused } from "../../../shared/store/outcome.ts";
import type { Caller } from "../../../shared/store/statements/guards.ts";
import type { Env } from "../env.ts";
import { HttpProblem, notFound } from "../problem.ts";

export interface ApiCaller extends Caller {
  /** The tenant that the key claims. The store believes it only together with the hash. */
  readonly tenantId: string;
}

const API_KEY = /^Bearer (errand_([a-z0-9-]+)_[\w-]{20,200})$/;

/**
 * The caller, who needs one of these scopes. Throws when there is no key of the right shape: keys are `errand_<tenant>_<secret>`. Whether
 * it is one, and may, is found out by the statement that serves.
 */
export async function authenticate(c: Context<{ Bindings: Env }>, ...scopes: Scope[]): Promise<ApiCaller> {
  const [, key, tenantId] = API_KEY.exec(c.req.header("authorization") ?? "") ?? [];
  if (key === undefined || tenantId === undefined) throw unauthorized();
  const caller = { tenantId, keyHash: await sha256Hex(key), scopes, now: Date.now() };
  noteUse(c, caller);
  return caller;
}

/** When this isolate has noted a key's use last: most requests write nothing. */
const noted = new Map<string, number>();
const NOTED_MAX = 1_000;

function noteUse(c: Context<{ Bindings: Env }>, caller: Caller): void {
  const { keyHash, now } = caller;
  const { key_use_noted_ms: everyMs } = readTimings(c.env);
  if ((noted.get(keyHash) ?? 0) > now - everyMs) return;
  if (noted.size >= NOTED_MAX) noted.clear();
  noted.set(keyHash, now);
  c.executionCtx.waitUntil(touchKey(c.env.DB, caller, everyMs));
}

/** Of a key's hash as much as its id shows. */
const KEY_CHARS = "key:".length + 16;

/** A person, or a key, as programs may see them. */
export const shortenKey = (sender: string) =>
  sender.startsWith("key:") ? sender.slice(0, KEY_CHARS) : sender;

/** What the store has found. Throws when the key is nobody's, or there is no such thing of its tenant's. */
export function unwrapOutcome<Value>(
  outcome: Found<Value> | NotFound | Refused,
  what: string,
  detail = "",
): Value {
  if (outcome.kind === "ok") return outcome.value;
  throw outcome.kind === "not_found" ? notFound(what, detail) : refused(outcome);
}

export function refused(refusal: Refused): HttpProblem {
  if (refusal.kind === "unauthorized") return unauthorized();
  const detail = `It needs the scope ${refusal.needed}. \`npm run keys\` lists what each key may do, and makes others.`;
  return new HttpProblem({ status: 403, title: "This key may not do that", detail });
}

export function unauthorized(): HttpProblem {
  return new HttpProblem({
    status: 401,
    title: "No valid API key",
    detail: "Send the header `Authorization: Bearer errand_…` with a key of this installation.",
  });
}
