/** The paths of the API, and what each does to the account. */
import { type Account, type Binding, Refusal, type Version } from "./account.ts";
import { query } from "./sql.ts";

export interface Request {
  readonly query: URLSearchParams;
  readonly json: Record<string, unknown>;
  /** The body, where it is a list. */
  readonly list: readonly unknown[];
  readonly base: string;
}

type Handler = (account: Account, request: Request, ...names: string[]) => unknown;

const hidden = ({ text: _text, ...binding }: Binding): Binding => binding;
const versionView = ({ id, bindings, annotations, metadata }: Version) => ({
  id,
  annotations,
  metadata: { source: "wrangler", created_on: "2026-01-01T00:00:00Z" },
  resources: {
    script: { etag: id, handlers: ["fetch"], last_deployed_from: "wrangler" },
    script_runtime: { compatibility_date: metadata["compatibility_date"], usage_model: "standard" },
    bindings: bindings.map(hidden),
  },
});
const deploymentsOf = (account: Account, name: string) =>
  account.script(name).deployments.map(({ id, versionId }) => ({
    id,
    created_on: "2026-01-01T00:00:00Z",
    source: "wrangler",
    strategy: "percentage",
    versions: [{ version_id: versionId, percentage: 100 }],
    annotations: {},
  }));

const STORAGE: Record<string, Handler> = {
  "GET A/d1/database": ({ databases }) =>
    [...databases].map(([name, { uuid, region }]) => ({ uuid, name, running_in_region: region })),
  "POST A/d1/database": (account, { json }) =>
    account.makeDatabase(String(json["name"]), (json["primary_location_hint"] as string | undefined) ?? null),
  "GET A/d1/database/*": (account, _request, key = "") => {
    const { uuid, region } = account.database(key);
    const [name] = [...account.databases].find(([, one]) => one.uuid === uuid) ?? [key];
    return { uuid, name, running_in_region: region, version: "production" };
  },
  "DELETE A/d1/database/*": (account, _request, key = "") => {
    const { uuid } = account.database(key);
    for (const [name, one] of account.databases) if (one.uuid === uuid) account.databases.delete(name);
    return null;
  },
  "POST A/d1/database/*/query": (account, { json }, key = "") =>
    query(account.database(key).db, String(json["sql"])),
  "POST A/d1/database/*/export": (account, { base }, key = "") => {
    account.database(key);
    const result = { filename: "export.sql", signed_url: `${base}/export.sql` };
    return { success: true, type: "export", status: "complete", at_bookmark: "b1", messages: [], result };
  },
  "GET A/d1/database/*/time_travel/bookmark": () => ({
    bookmark: "00000001-00000002-00000003-0123456789abcdef",
  }),
  "GET A/r2/buckets": ({ buckets }) => ({ buckets: [...buckets.keys()].map((name) => ({ name })) }),
  "POST A/r2/buckets": (account, { json }) => {
    account.makeBucket(String(json["name"]), (json["locationHint"] as string | undefined) ?? null);
    return { name: json["name"] };
  },
  "GET A/r2/buckets/*": (account, _request, name = "") => ({ name, location: account.bucket(name).location }),
  "DELETE A/r2/buckets/*": (account, _request, name = "") => account.deleteBucket(name),
  "GET A/r2/buckets/*/objects": (account, { query: asked }, name = "") =>
    [...account.bucket(name).objects].slice(0, Number(asked.get("per_page") ?? 20)).map((key) => ({ key })),
  "GET A/r2/buckets/*/objects/**": (account, _request, name = "", key = "") => {
    if (!account.bucket(name).objects.has(key))
      throw new Refusal(404, 10_007, "The specified key does not exist.");
    return Buffer.from(`the content of ${key}`);
  },
  "DELETE A/r2/buckets/*/objects/**": (account, _request, name = "", key = "") => {
    account.bucket(name).objects.delete(key);
    return {};
  },
  "GET A/queues": ({ queues }, { query: asked }) => {
    const names = asked.getAll("name");
    return [...queues.values()].filter(({ queue_name }) => names.length === 0 || names.includes(queue_name));
  },
  "POST A/queues": (account, { json }) => account.makeQueue(String(json["queue_name"])),
  "GET A/queues/*": (account, _request, key = "") => account.queue(key),
  "DELETE A/queues/*": (account, _request, key = "") => account.deleteQueue(key),
  "POST A/queues/*/consumers": (account, { json }, key = "") => account.consume(key, json),
  "PUT A/queues/*/consumers/*": (account, { json }, key = "", id = "") => {
    const consumer = account.queue(key).consumers.find(({ consumer_id }) => consumer_id === id);
    if (consumer === undefined) throw new Refusal(404, 11_000, "consumer not found");
    const { settings, dead_letter_queue } = json;
    return Object.assign(consumer, {
      settings,
      ...(dead_letter_queue !== undefined && { dead_letter_queue }),
    });
  },
  "DELETE A/queues/*/consumers/*": (account, _request, key = "", id = "") => {
    const queue = account.queue(key);
    queue.consumers = queue.consumers.filter(({ consumer_id }) => consumer_id !== id);
    return null;
  },
  "GET A/containers/me": ({ containers }) => {
    if (containers === "refused") throw new Refusal(403, 10_000, "Authentication error");
    return { account_id: "it", limits: {} };
  },
  "GET A/containers/applications": ({ applications }) => [...applications.values()],
  "GET A/containers/applications/*": (account, _request, id = "") => {
    const found = account.applications.get(id);
    if (found === undefined) throw new Refusal(404, 1_000, "APPLICATION_NOT_FOUND");
    return found;
  },
  "POST A/containers/applications": (account, { json }) => account.makeApplication(json),
  "DELETE A/containers/applications/*": (account, _request, id = "") => {
    if (!account.applications.delete(id)) throw new Refusal(404, 1_000, "APPLICATION_NOT_FOUND");
    return {};
  },
  "GET A/workflows/*": (account, _request, name = "") => {
    const found = account.workflows.get(name);
    if (found === undefined) throw new Refusal(404, 10_200, "workflow.not_found");
    return { name, ...found };
  },
  "PUT A/workflows/*": (account, { json }, name = "") => {
    account.script(String(json["script_name"]));
    const made = { script_name: String(json["script_name"]), class_name: String(json["class_name"]) };
    account.workflows.set(name, made);
    return { id: name, name, ...made };
  },
  "DELETE A/workflows/*": (account, _request, name = "") => {
    if (!account.workflows.delete(name)) throw new Refusal(404, 10_200, "workflow.not_found");
    return { status: "ok", success: true };
  },
};

const WORKERS: Record<string, Handler> = {
  "GET A/workers/subdomain": ({ subdomain }) => {
    if (subdomain === null) throw new Refusal(404, 10_007, "There is no workers.dev subdomain.");
    return { subdomain };
  },
  "PUT A/workers/subdomain": (account, { json }) => {
    account.subdomain = String(json["subdomain"]);
    return { subdomain: account.subdomain };
  },
  "GET A/workers/services/*": (account, _request, name = "") => {
    account.script(name);
    const script = {
      id: name,
      tag: name,
      tags: null,
      etag: name,
      handlers: ["fetch"],
      last_deployed_from: "wrangler",
    };
    const environment = { environment: "production", script };
    return { id: name, default_environment: environment, environments: [environment] };
  },
  "DELETE A/workers/services/*": (account, { query: asked }, name = "") =>
    account.deleteScript(name, asked.get("force") === "true") ?? null,
  "GET A/workers/workers/*": (account, _request, name = "") => ({
    id: name,
    subdomain: account.script(name).subdomain,
  }),
  "PUT A/workers/scripts/*": (account, { json }, name = "") => {
    const { id } = account.upload(name, json, true);
    return { id: name, etag: id, deployment_id: id.replaceAll("-", ""), startup_time_ms: 7 };
  },
  "GET A/workers/scripts/*/settings": (account, _request, name = "") => {
    const { bindings, metadata } = account.live(name);
    return {
      bindings: bindings.map(hidden),
      compatibility_date: metadata["compatibility_date"],
      tags: [],
      placement: {},
    };
  },
  "GET A/workers/scripts/*/script-settings": (account, _request, name = "") => account.script(name).settings,
  "PATCH A/workers/scripts/*/script-settings": (account, { json }, name = "") =>
    Object.assign(account.script(name).settings, json),
  "GET A/workers/scripts/*/secrets": (account, _request, name = "") =>
    account.live(name).bindings.flatMap((one) => (one.type === "secret_text" ? [hidden(one)] : [])),
  "PATCH A/workers/scripts/*/secrets-bulk": (account, { json }, name = "") => {
    account.changeSecrets(name, json["secrets"] as Record<string, { name: string; text: string } | null>);
    return [];
  },
  "GET A/workers/scripts/*/subdomain": (account, _request, name = "") => account.script(name).subdomain,
  "POST A/workers/scripts/*/subdomain": (account, { json }, name = "") => {
    const { enabled, previews_enabled } = json as { enabled: boolean; previews_enabled?: boolean };
    return (account.script(name).subdomain = { enabled, previews_enabled: previews_enabled ?? enabled });
  },
  "GET A/workers/scripts/*/schedules": (account, _request, name = "") => ({
    schedules: account.script(name).schedules,
  }),
  "PUT A/workers/scripts/*/schedules": (account, { list }, name = "") => {
    account.script(name).schedules = [...list];
    return { schedules: list };
  },
  "POST A/workers/scripts/*/domains/changeset": () => ({
    added: [],
    removed: [],
    updated: [],
    conflicting: [],
  }),
  "PUT A/workers/scripts/*/domains/records": (account, { json }, name = "") => {
    const origins = (json["origins"] ?? []) as { hostname: string }[];
    account.script(name).domains = origins.map(({ hostname }) => hostname);
    return origins;
  },
  "GET A/workers/scripts/*/deployments": (account, _request, name = "") => ({
    deployments: deploymentsOf(account, name),
  }),
  "POST A/workers/scripts/*/deployments": (account, { json }, name = "") => {
    const [version] = json["versions"] as { version_id: string }[];
    account.deploy(name, version?.version_id ?? "");
    return deploymentsOf(account, name)[0];
  },
  "GET A/workers/scripts/*/versions": (account, _request, name = "") => ({
    items: account.script(name).versions.toReversed().map(versionView),
  }),
  "POST A/workers/scripts/*/versions": (account, { json }, name = "") => {
    account.script(name);
    return { ...versionView(account.upload(name, json, false)), startup_time_ms: 7 };
  },
  "GET A/workers/scripts/*/versions/*": (account, _request, name = "", id = "") => {
    const version = account.script(name).versions.find((one) => one.id === id);
    if (version === undefined) throw new Refusal(404, 10_222, "version not found");
    return versionView(version);
  },
  "GET A/workers/domains": ({ scripts }, { query: asked }) =>
    [...scripts].flatMap(([service, { domains }]) =>
      domains
        .map((hostname) => ({ id: `${service}.${hostname}`, hostname, service }))
        .filter(
          (one) =>
            (asked.get("service") ?? service) === service &&
            (asked.get("hostname") ?? one.hostname) === one.hostname,
        ),
    ),
  "DELETE A/workers/domains/*": ({ scripts }, _request, id = "") => {
    for (const [service, script] of scripts)
      script.domains = script.domains.filter((hostname) => `${service}.${hostname}` !== id);
    return null;
  },
  "GET A/storage/kv/namespaces": () => [],
  // wrangler asks whose the token is when something was refused.
  "GET /user/tokens/verify": () => ({ id: "0123456789abcdef", status: "active" }),
  "GET /user": () => ({ id: "0123456789abcdef", email: "someone@example.com" }),
  "GET /memberships": () => [],
  "GET /accounts": (_account, { base }) => [{ id: "0123456789abcdef0123456789abcdef", name: base }],
};

const TABLE = Object.entries({ ...STORAGE, ...WORKERS }).map(([pattern, handler]) => ({
  handler,
  match: new RegExp(
    `^${pattern.replace("A/", "/accounts/[0-9a-f]{32}/").replaceAll(/\*\*?/g, (stars) => (stars === "**" ? "(.+)" : "([^/]+)"))}$`,
  ),
}));

/** What a request is for. Throws as Cloudflare does when there is nothing, or when it is somebody else's. */
export function findRoute(said: string, accountId: string): (account: Account, request: Request) => unknown {
  const [, owner = accountId] = /\/accounts\/([0-9a-f]{32})/.exec(said) ?? [];
  if (owner !== accountId) throw new Refusal(403, 9_109, "Unauthorized to access requested resource");
  for (const { match, handler } of TABLE) {
    const names = match.exec(said)?.slice(1).map(decodeURIComponent);
    if (names !== undefined) return (account, request) => handler(account, request, ...names);
  }
  throw new Refusal(404, 7_003, `Could not route to ${said}, perhaps your object identifier is invalid?`);
}
