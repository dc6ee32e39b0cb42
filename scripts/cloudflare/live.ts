/** What there is of an installation on the account: read at once, by the names alone. */
import * as z from "zod/mini";
import type { CloudflareApi } from "./cloudflare-api.ts";
import { isLocation, type Location } from "./target.ts";

/** Each after those that it calls. https://developers.cloudflare.com/workers/observability/errors/ says 10143 otherwise. */
export const DEPLOY_ORDER = ["runner", "notifier", "planner", "executor", "ingress"] as const;
export type Part = (typeof DEPLOY_ORDER)[number];

export const QUEUES = ["inbound", "tasks", "replies", "dead-letters"] as const;

interface LiveWorker {
  versionId: string;
  /** What it was deployed with: the hash of its code and configuration. */
  tag: string | null;
  secrets: readonly string[];
}

interface LiveConsumer {
  worker: string;
  deadLetters: string | null;
}

export interface Live {
  subdomain: string | null;
  database: { id: string; location: Location | null } | null;
  hasBucket: boolean;
  /** Those that there are, each with who consumes it. */
  queues: ReadonlyMap<string, readonly LiveConsumer[]>;
  workers: ReadonlyMap<Part, LiveWorker>;
  /** The Worker whose Workflow has our Workflow's name: an account has one of each name. */
  workflowOwner: string | null;
}

export const NOTHING: Live = {
  subdomain: null,
  database: null,
  hasBucket: false,
  queues: new Map(),
  workers: new Map(),
  workflowOwner: null,
};

const Subdomain = z.object({ subdomain: z.nullish(z.string()) });
const Database = z.object({ uuid: z.string(), running_in_region: z.nullish(z.string()) });
const Consumer = z.object({
  script: z.nullish(z.string()),
  script_name: z.nullish(z.string()),
  dead_letter_queue: z.nullish(z.string()),
});
const Queue = z.object({ queue_name: z.string(), consumers: z.nullish(z.array(Consumer)) });
const Deployments = z.object({
  deployments: z.array(z.object({ versions: z.array(z.object({ version_id: z.string() })) })),
});
const Version = z.object({ annotations: z.nullish(z.record(z.string(), z.unknown())) });
const Secrets = z.array(z.object({ name: z.string() }));
const Workflow = z.object({ script_name: z.string() });

/** About twenty small requests, side by side. Throws a CloudflareError where the token may not look. */
export async function readLive(api: CloudflareApi, accountId: string, name: string): Promise<Live> {
  const account = `/accounts/${accountId}`;
  const [subdomain, database, bucket, queues, workers, workflow] = await Promise.all([
    api.find(`${account}/workers/subdomain`, Subdomain),
    api.find(`${account}/d1/database/${name}`, Database),
    api.find(`${account}/r2/buckets/${name}-files`, z.unknown()),
    Promise.all(QUEUES.map((queue) => findQueue(api, account, `${name}-${queue}`))),
    Promise.all(
      DEPLOY_ORDER.map(async (part) => [part, await findWorker(api, account, `${name}-${part}`)] as const),
    ),
    api.find(`${account}/workflows/${name}-task`, Workflow),
  ]);
  const region = database?.running_in_region?.toLowerCase() ?? "";
  return {
    subdomain: subdomain?.subdomain || null,
    database: database && { id: database.uuid, location: isLocation(region) ? region : null },
    hasBucket: bucket !== null,
    queues: new Map(queues.flatMap((queue) => (queue === null ? [] : [queue]))),
    workers: new Map(workers.flatMap(([part, worker]) => (worker === null ? [] : [[part, worker]]))),
    workflowOwner: workflow?.script_name ?? null,
  };
}

async function findQueue(
  api: CloudflareApi,
  account: string,
  queue: string,
): Promise<[string, readonly LiveConsumer[]] | null> {
  const found = await api.call(`${account}/queues?name=${queue}`, z.array(Queue));
  const one = found.find(({ queue_name }) => queue_name === queue);
  if (one === undefined) return null;
  const consumers = (one.consumers ?? []).flatMap(({ script, script_name, dead_letter_queue }) => {
    const worker = script ?? script_name;
    return worker ? [{ worker, deadLetters: dead_letter_queue ?? null }] : [];
  });
  return [queue, consumers];
}

async function findWorker(api: CloudflareApi, account: string, worker: string): Promise<LiveWorker | null> {
  const script = `${account}/workers/scripts/${worker}`;
  const found = await api.find(`${script}/deployments`, Deployments);
  const versionId = found?.deployments[0]?.versions[0]?.version_id;
  if (versionId === undefined) return null;
  const [version, secrets] = await Promise.all([
    api.find(`${script}/versions/${versionId}`, Version),
    api.find(`${script}/secrets`, Secrets),
  ]);
  const tag = version?.annotations?.["workers/tag"];
  return {
    versionId,
    tag: typeof tag === "string" ? tag : null,
    secrets: (secrets ?? []).map((secret) => secret.name),
  };
}
