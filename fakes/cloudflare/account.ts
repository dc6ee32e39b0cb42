/** An account at Cloudflare, as far as an installation changes it: what there is on it, and what it refuses. */
import { randomBytes, randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

/** A refusal. Codes and statuses are those of Cloudflare's documentation. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Binding {
  name: string;
  type: string;
  [fact: string]: unknown;
}

export interface Version {
  id: string;
  bindings: Binding[];
  annotations: Record<string, unknown>;
  metadata: Record<string, unknown>;
}

export interface Script {
  versions: Version[];
  /** Newest first; the first is live. */
  deployments: { id: string; versionId: string }[];
  schedules: unknown[];
  subdomain: { enabled: boolean; previews_enabled: boolean };
  domains: string[];
  settings: Record<string, unknown>;
}

interface Consumer {
  type: "worker";
  consumer_id: string;
  script: string;
  dead_letter_queue?: string;
  settings: unknown;
}

export interface Queue {
  queue_id: string;
  queue_name: string;
  consumers: Consumer[];
}

const hex = () => randomBytes(16).toString("hex");

export class Account {
  subdomain: string | null = "someone";
  plan: "paid" | "free" = "paid";
  /** R2 has to be enabled once, by a person. */
  hasR2 = true;
  /** Whether it may have containers; "later": it says so only when the Worker is there. */
  containers: "allowed" | "refused" | "refused later" = "allowed";
  readonly applications = new Map<string, { id: string; name: string }>();
  readonly scripts = new Map<string, Script>();
  readonly databases = new Map<string, { uuid: string; region: string; db: DatabaseSync }>();
  readonly queues = new Map<string, Queue>();
  readonly buckets = new Map<string, { location: string | null; objects: Set<string> }>();
  readonly workflows = new Map<string, { script_name: string; class_name: string }>();

  script(name: string): Script {
    const found = this.scripts.get(name);
    if (found === undefined)
      throw new Refusal(404, 10_007, `This Worker does not exist on your account. (${name})`);
    return found;
  }

  live(name: string): Version {
    const { versions, deployments } = this.script(name);
    const version = versions.find(({ id }) => id === deployments[0]?.versionId);
    if (version === undefined) throw new Refusal(404, 10_007, `${name} has no live version.`);
    return version;
  }

  database(key: string) {
    const found = this.databases.get(key) ?? [...this.databases.values()].find(({ uuid }) => uuid === key);
    if (found === undefined) throw new Refusal(404, 7_404, `The database ${key} could not be found`);
    return found;
  }

  queue(key: string): Queue {
    const found = [...this.queues.values()].find(
      ({ queue_id, queue_name }) => queue_id === key || queue_name === key,
    );
    if (found === undefined) throw new Refusal(404, 11_000, `Queue ${key} not found`);
    return found;
  }

  bucket(name: string) {
    if (!this.hasR2) throw new Refusal(403, 10_042, "Please enable R2 through the Cloudflare Dashboard.");
    const found = this.buckets.get(name);
    if (found === undefined) throw new Refusal(404, 10_006, "The specified bucket does not exist.");
    return found;
  }

  makeDatabase(name: string, location: string | null) {
    if (this.databases.has(name))
      throw new Refusal(400, 7_502, `A database with the name '${name}' already exists`);
    const made = {
      uuid: randomUUID(),
      region: (location ?? "weur").toUpperCase(),
      db: new DatabaseSync(":memory:"),
    };
    this.databases.set(name, made);
    return { uuid: made.uuid, name, running_in_region: made.region };
  }

  makeBucket(name: string, location: string | null): void {
    if (!this.hasR2) throw new Refusal(403, 10_042, "Please enable R2 through the Cloudflare Dashboard.");
    if (this.buckets.has(name))
      throw new Refusal(409, 10_004, "The bucket you tried to create already exists, and you own it.");
    this.buckets.set(name, { location, objects: new Set() });
  }

  deleteBucket(name: string): void {
    if (this.bucket(name).objects.size > 0)
      throw new Refusal(409, 10_008, "The bucket you tried to delete is not empty.");
    this.buckets.delete(name);
  }

  makeQueue(name: string): Queue {
    if (this.queues.has(name)) throw new Refusal(409, 11_009, `Queue name '${name}' is already taken.`);
    const made = { queue_id: hex(), queue_name: name, consumers: [] };
    this.queues.set(name, made);
    return made;
  }

  deleteQueue(key: string): void {
    const { queue_name, consumers } = this.queue(key);
    if (consumers.length > 0 || this.producersOf(queue_name).length > 0)
      throw new Refusal(400, 11_005, `Queue '${queue_name}' has producers or consumers`);
    this.queues.delete(queue_name);
  }

  /** Cloudflare derives them: a queue's producers are the Workers that are bound to it. */
  producersOf(queue: string): string[] {
    return [...this.scripts.keys()].filter((name) =>
      this.live(name).bindings.some(({ type, queue_name }) => type === "queue" && queue_name === queue),
    );
  }

  consume(key: string, { script_name, dead_letter_queue, settings }: Record<string, unknown>): Consumer {
    const queue = this.queue(key);
    const script = String(script_name);
    this.script(script);
    if (queue.consumers.length > 0)
      throw new Refusal(400, 11_004, `Queue '${queue.queue_name}' already has a consumer`);
    const made: Consumer = { type: "worker", consumer_id: hex(), script, settings };
    if (typeof dead_letter_queue === "string") {
      if (!this.queues.has(dead_letter_queue)) this.makeQueue(dead_letter_queue);
      made.dead_letter_queue = dead_letter_queue;
    }
    queue.consumers.push(made);
    return made;
  }

  upload(name: string, metadata: Record<string, unknown>, live: boolean): Version {
    if (this.plan === "free" && metadata["limits"] !== undefined && metadata["limits"] !== null)
      throw new Refusal(400, 100_328, "CPU limits are not supported for the Free plan.");
    const old = this.scripts.get(name);
    const before = old?.versions.at(-1)?.bindings ?? [];
    const sent = (metadata["bindings"] ?? []) as Binding[];
    const bindings = sent.map((binding) => this.bind(name, binding, before));
    const kept = (metadata["keep_bindings"] ?? []) as string[];
    for (const binding of before)
      if (kept.includes(binding.type) && !bindings.some((one) => one.name === binding.name))
        bindings.push(binding);
    const annotations = (metadata["annotations"] ?? {}) as Record<string, unknown>;
    const version = { id: randomUUID(), bindings, annotations, metadata };
    const script = old ?? this.emptyScript(name);
    script.versions.push(version);
    if (live) this.deploy(name, version.id);
    return version;
  }

  /** As the containers of a Durable Object's class are made, when its Worker is there. */
  makeApplication(asked: Record<string, unknown>) {
    if (this.containers !== "allowed") throw new Refusal(403, 10_000, "Authentication error");
    const { name, durable_objects } = asked;
    const { namespace_id: id } = durable_objects as { namespace_id: string };
    const made = { ...asked, id, name: String(name) };
    this.applications.set(id, made);
    return made;
  }

  deploy(name: string, versionId: string): void {
    const { versions, deployments } = this.script(name);
    if (!versions.some(({ id }) => id === versionId)) throw new Refusal(404, 10_222, "version not found");
    deployments.unshift({ id: randomUUID(), versionId });
  }

  /** A secret is a new version of the Worker, which is live at once. */
  changeSecrets(name: string, secrets: Record<string, { name: string; text: string } | null>): void {
    const latest = this.script(name).versions.at(-1);
    if (latest === undefined || latest.id !== this.live(name).id)
      throw new Refusal(400, 10_215, "The latest version of your Worker isn't currently deployed.");
    const bindings = latest.bindings.filter((binding) => !Object.hasOwn(secrets, binding.name));
    for (const [key, secret] of Object.entries(secrets))
      if (secret !== null) bindings.push({ ...secret, name: key, type: "secret_text" });
    const version = {
      ...latest,
      id: randomUUID(),
      bindings,
      annotations: { "workers/triggered_by": "secret" },
    };
    this.script(name).versions.push(version);
    this.deploy(name, version.id);
  }

  deleteScript(name: string, force: boolean): void {
    this.script(name);
    const consumes = [...this.queues.values()].some(({ consumers }) =>
      consumers.some(({ script }) => script === name),
    );
    if (consumes && !force) throw new Refusal(400, 10_064, "script still in use as a consumer for a queue");
    for (const queue of this.queues.values())
      queue.consumers = queue.consumers.filter(({ script }) => script !== name);
    this.scripts.delete(name);
  }

  private emptyScript(name: string): Script {
    const subdomain = { enabled: false, previews_enabled: false };
    const made: Script = {
      versions: [],
      deployments: [],
      schedules: [],
      subdomain,
      domains: [],
      settings: {},
    };
    this.scripts.set(name, made);
    return made;
  }

  /** The binding as it will be. Throws unless what it is bound to is there. */
  private bind(script: string, binding: Binding, before: readonly Binding[]): Binding {
    const { name, type } = binding;
    const named = (key: string) => String(binding[key]);
    switch (type) {
      case "inherit": {
        const inherited = before.find((one) => one.name === name);
        if (inherited === undefined)
          throw new Refusal(400, 10_057, `inherit binding '${name}' is invalid: there is none`);
        return inherited;
      }
      case "durable_object_namespace":
        return { ...binding, namespace_id: `${script}.${named("class_name")}` };
      case "worker_loader":
        if (this.plan === "free")
          throw new Refusal(403, 10_195, "In order to use Dynamic Workers, you must switch to a paid plan.");
        break;
      case "service":
        if (named("service") !== script && !this.scripts.has(named("service")))
          throw new Refusal(
            400,
            10_143,
            `Service binding (${name}) references Worker (${named("service")}) which does not exist.`,
          );
        break;
      case "d1":
        this.database(named("id"));
        break;
      case "r2_bucket":
        this.bucket(named("bucket_name"));
        break;
      case "queue":
        this.queue(named("queue_name"));
        break;
    }
    return binding;
  }
}
