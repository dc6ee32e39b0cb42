/** API keys over HTTP: list, make, revoke. A key is shown once, when it is made. `npm run keys` speaks to it. */
import { Hono } from "hono";
import { type KeyPage, type MadeKey, NewKey, type Revoked } from "../../../shared/contracts/api.ts";
import { sha256Hex } from "../../../shared/ids.ts";
import { log } from "../../../shared/log.ts";
import { type ApiKey, createKey, listKeys, revokeKey } from "../../../shared/store/api-keys.ts";
import type { Env } from "../env.ts";
import { HttpProblem } from "../problem.ts";
import { authenticate, unwrapOutcome } from "./caller.ts";
import { readJson } from "./request.ts";
import { formatTime } from "./view.ts";

/** Of its hash, in hex: enough to tell the keys of a tenant apart. */
const ID_CHARS = 16;
const SECRET_BYTES = 24;

export const keys = new Hono<{ Bindings: Env }>();

keys.get("/", async (c) => {
  const caller = await authenticate(c);
  const known = unwrapOutcome(await listKeys(c.env.DB, caller), "list");
  return c.json<KeyPage>({
    keys: known.map((key) => ({ ...viewKey(key), is_this: key.hash === caller.keyHash })),
  });
});

keys.post("/", async (c) => {
  const caller = await authenticate(c);
  const { label, scopes, expires_at } = await readJson(c, () => NewKey);
  const expiresAt = expires_at === undefined ? null : Date.parse(expires_at);
  if (expiresAt !== null && !(expiresAt > caller.now)) {
    const errors = [{ path: "expires_at", message: "A time in the future, such as 2030-01-31T00:00:00Z" }];
    throw new HttpProblem({ status: 400, title: "Invalid request", detail: "See `errors`.", errors });
  }
  const key = makeKey(caller.tenantId);
  const hash = await sha256Hex(key);
  unwrapOutcome(await createKey(c.env.DB, caller, { hash, label, scopes, expiresAt }), "tenant");
  const made = { hash, label, scopes, created_at: caller.now, expires_at: expiresAt, last_used_at: null };
  log("info", {
    stage: "ingress",
    effect: "key made",
    key: hash.slice(0, ID_CHARS),
    scopes: scopes.join(" "),
  });
  return c.json<MadeKey>({ key, ...viewKey(made) }, 201);
});

keys.delete("/:id", async (c) => {
  const caller = await authenticate(c);
  const id = c.req.param("id");
  const detail = "Your tenant has no other key with this id. A key does not revoke itself.";
  if (id.length !== ID_CHARS) throw new HttpProblem({ status: 404, title: "No such key", detail });
  unwrapOutcome(await revokeKey(c.env.DB, caller, id), "key", detail);
  log("info", { stage: "ingress", effect: "key revoked", key: id });
  return c.json<Revoked>({ revoked: { id } });
});

function makeKey(tenantId: string): string {
  const secret = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(SECRET_BYTES))));
  return `errand_${tenantId}_${secret.replaceAll("+", "-").replaceAll("/", "_")}`;
}

function viewKey({ hash, label, scopes, created_at, expires_at, last_used_at }: ApiKey) {
  return {
    id: hash.slice(0, ID_CHARS),
    label,
    scopes,
    created_at: formatTime(created_at),
    expires_at: expires_at === null ? null : formatTime(expires_at),
    last_used_at: last_used_at === null ? null : formatTime(last_used_at),
  };
}
