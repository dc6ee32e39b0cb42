/** What there is of an installation on the account: read at once, by the names alone. */
import * as z from "zod/mini";
import { type CloudflareApi, CloudflareError } from "./cloudflare-api.ts";
import { isLocation, type Location } from "./target.ts";

/** Each after those that it calls. https://developers.cloudflare.com/workers/observability/errors/ says 10143 otherwise. */
export const DEPLOY_ORDER = ["runner", "hands", "notifier", "planner", "executor", "ingress"] as const;
export type Part = (typeof DEPLOY_ORDER)[number];

export const QUEUES = ["inbound", "tasks", "replies", "dead-letters"] as const;

interface LiveWorker {
  versionId: string;
  /** What it was deployed with: the hash of its code and configuration. */
  tag: string | null;
  secrets: readonly string[];
  /** Null, here and below: it could not be read. */
  bindings: readonly LiveBinding[] | null;
  crons: readonly unknown[] | null;
  /** On workers.dev. */
  door: { enabled: boolean; previews_enabled?: boolean | null | undefined } | null;
}

export interface LiveBinding {
  readonly name: string;
  readonly type?: unknown;
  readonly [fact: string]: unknown;
}

interface LiveConsumer {
  worker: string;
  deadLetters: string | null;
}

export interface Live {
  subdomain: string | null;
  database: { id: string; location: Location | null } | null;
  hasBucket: boolean;
  /** Those that there are, each with who consumes it; null where the account does not say. */
  queues: ReadonlyMap<string, readonly LiveConsumer[] | null>;
  workers: ReadonlyMap<Part, LiveWorker>;
  /** The Worker whose Workflow has our Workflow's name: an account has one of each name. */
  workflowOwner: string | null;
  /** Hosts that lead to ingress. */
  domains: readonly LiveDomain[];
}

interface LiveDomain {
  id: string;
  hostname: string;
}

export const NOTHING: Live = {
  subdomain: null,
  database: null,
  hasBucket: false,
  queues: new Map(),
  workers: new Map(),
  workflowOwner: null,
  domains: [],
};

const Subdomain = z.object({ subdomain: z.nullish(z.string()) });
const Database = z.object({ uuid: z.string(), running_in_region: z.nullish(z.string()) });
export const Domains = z.array(z.object({ id: z.string(), hostname: z.string(), service: z.string() }));
const Consumer = z.object({
  script: z.nullish(z.string()),
  service: z.nullish(z.string()),
  script_name: z.nullish(z.string()),
  dead_letter_queue: z.nullish(z.string()),
});
const Queue = z.object({ queue_name: z.string(), consumers: z.nullish(z.array(Consumer)) });
const Deployments = z.object({
  deployments: z.array(z.object({ versions: z.array(z.object({ version_id: z.string() })) })),
});
const Version = z.object({ annotations: z.nullish(z.record(z.string(), z.unknown())) });
const Settings = z.object({ bindings: z.array(z.looseObject({ name: z.string() })) });
const Schedules = z.object({ schedules: z.array(z.unknown()) });
const Door = z.object({ enabled: z.boolean(), previews_enabled: z.nullish(z.boolean()) });
const Secrets = z.array(z.object({ name: z.string() }));
const Workflow = z.object({ script_name: z.string() });

/** About forty small requests, side by side. Throws a CloudflareError where the token may not look, with what it lacks. */
export async function readLive(api: CloudflareApi, accountId: string, name: string): Promise<Live> {
  const account = `/accounts/${accountId}`;
  const [subdomain, database, bucket, queues, workers, workflow, domains] = await Promise.all([
    reading("the subdomain (Workers Scripts Edit)", api.find(`${account}/workers/subdomain`, Subdomain)),
    reading("the database (D1 Edit)", api.find(`${account}/d1/database/${name}`, Database)),
    reading(
      "the bucket (Workers R2 Storage Edit)",
      api.find(`${account}/r2/buckets/${name}-files`, z.unknown()),
    ),
    reading(
      "the queues (Queues Edit)",
      Promise.all(QUEUES.map((queue) => findQueue(api, account, `${name}-${queue}`))),
    ),
    reading(
      "the Workers (Workers Scripts Edit)",
      Promise.all(
        DEPLOY_ORDER.map(
          async (part) => [part, await findWorker(api, accountId, `${name}-${part}`)] as const,
        ),
      ),
    ),
    reading("the Workflow (Workers Scripts Edit)", api.find(`${account}/workflows/${name}-task`, Workflow)),
    reading(
      "the domains (Workers Scripts Edit)",
      api.find(`${account}/workers/domains?service=${name}-ingress`, Domains),
    ),
  ]);
  const region = database?.running_in_region?.toLowerCase() ?? "";
  return {
    subdomain: subdomain?.subdomain || null,
    database: database && { id: database.uuid, location: isLocation(region) ? region : null },
    hasBucket: bucket !== null,
    queues: new Map(queues.flatMap((queue) => (queue === null ? [] : [queue]))),
    workers: new Map(workers.flatMap(([part, worker]) => (worker === null ? [] : [[part, worker]]))),
    workflowOwner: workflow?.script_name ?? null,
    domains: (domains ?? []).filter(({ service }) => service === `${name}-ingress`),
  };
}

/** Names what was read, and the permission that it takes, where it is refused. */
async function reading<Value>(what: string, work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof CloudflareError)) throw error;
    throw new CloudflareError(`while reading ${what}: ${error.message}`, error.status, error.code);
  }
}

async function findQueue(
  api: CloudflareApi,
  account: string,
  queue: string,
): Promise<[string, readonly LiveConsumer[] | null] | null> {
  const found = await api.call(`${account}/queues?name=${queue}`, z.array(Queue));
  const one = found.find(({ queue_name }) => queue_name === queue);
  if (one === undefined) return null;
  const consumers = one.consumers?.flatMap(({ script, script_name, service, dead_letter_queue }) => {
    const worker = script ?? script_name ?? service;
    return worker ? [{ worker, deadLetters: dead_letter_queue ?? null }] : [];
  });
  return [queue, consumers ?? null];
}

/** The version that answers; null when there is no such Worker. */
export async function findLiveVersion(
  api: CloudflareApi,
  accountId: string,
  worker: string,
): Promise<string | null> {
  const path = `/accounts/${accountId}/workers/scripts/${worker}/deployments`;
  const found = await api.find(path, Deployments);
  return found?.deployments[0]?.versions[0]?.version_id ?? null;
}

async function findWorker(api: CloudflareApi, accountId: string, worker: string): Promise<LiveWorker | null> {
  const script = `/accounts/${accountId}/workers/scripts/${worker}`;
  const versionId = await findLiveVersion(api, accountId, worker);
  if (versionId === null) return null;
  const [version, secrets, settings, schedules, door] = await Promise.all([
    api.find(`${script}/versions/${versionId}`, Version),
    api.find(`${script}/secrets`, Secrets),
    api.find(`${script}/settings`, Settings),
    api.find(`${script}/schedules`, Schedules),
    api.find(`${script}/subdomain`, Door),
  ]);
  const tag = version?.annotations?.["workers/tag"];
  return {
    versionId,
    tag: typeof tag === "string" ? tag : null,
    secrets: (secrets ?? []).map((secret) => secret.name),
    bindings: settings?.bindings ?? null,
    crons: schedules?.schedules ?? null,
    door,
  };
}
