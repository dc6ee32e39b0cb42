/** The Workers as they are deployed: one module each, and a configuration made from the tracked one. Nothing tracked is edited, and no id is in it. */
import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod/mini";
import { bundleAll } from "../installation/bundle.ts";
import { bindHands } from "../installation/hands.ts";
import { type WorkerConfig, readWorkerConfig } from "../installation/worker-config.ts";
import { DEPLOY_ORDER, type Part } from "./live.ts";
import { LOCATIONS, type Location, renameFor } from "./target.ts";

/** Below what is a tag's longest. https://developers.cloudflare.com/api/resources/workers/subresources/scripts/subresources/versions/ */
const TAG_CHARS = 16;

interface Bundled {
  readonly config: WorkerConfig;
  /** One module. */
  readonly code: string;
}
/** A Worker by the account's plan. */
export interface Source {
  readonly paid: Bundled;
  readonly free: Bundled;
}
export type Sources = ReadonlyMap<Part, Source>;

/** The Workers of this version, bundled as `npm start` bundles them. */
export async function readSources(): Promise<Sources> {
  const parts = DEPLOY_ORDER.map(async (part) => {
    const paid = await readWorkerConfig(part);
    return { part, paid, free: makeFree(paid) };
  });
  const configs = await Promise.all(parts);
  const mains = [...new Set(configs.flatMap(({ paid, free }) => [paid.main, free.main]))];
  const bundles = await bundleAll(mains);
  const bundle = (config: WorkerConfig) => ({ config, code: bundles[mains.indexOf(config.main)] ?? "" });
  return new Map(configs.map(({ part, paid, free }) => [part, { paid: bundle(paid), free: bundle(free) }]));
}

export interface Shape {
  readonly name: string;
  /** Where people and platforms reach it. */
  readonly url: string;
  readonly location: Location | null;
  readonly domain: string | null;
  /** Workers Paid. Without it the runner has no isolates, and there is no limit on CPU time but the plan's own. */
  readonly paid: boolean;
  /** Scripts run in containers. */
  readonly hands: boolean;
  /** Seen from the folder of a Worker. */
  readonly migrationsDir: string;
}

export interface PartSettings {
  readonly vars: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface Generated {
  readonly config: Readonly<Record<string, unknown>>;
  readonly code: string;
  /** The hash of both. What is live under the same tag need not be deployed again. */
  readonly tag: string;
}

/** A batch of one keeps an invocation below the 50 queries of Workers Free: `test/pipeline/free.test.ts` counts them. */
const FREE_BATCH_MAX = 1;
/** In place of the runner, whose isolates it does not have. */
const FREE_RUNNER = "workers/runner/free.ts";

/** The Worker as Workers Free takes it: without isolates, and without a limit on CPU time but the plan's own. */
export function makeFree({ limits: _limits, worker_loaders, ...config }: WorkerConfig): WorkerConfig {
  const { queues } = config;
  return {
    ...config,
    // The shell's gzip is Node's.
    ...(worker_loaders && { main: resolve(FREE_RUNNER), compatibility_flags: ["nodejs_compat"] }),
    ...(queues && {
      queues: {
        ...queues,
        ...(queues.consumers && {
          consumers: queues.consumers.map((consumer) => ({ ...consumer, max_batch_size: FREE_BATCH_MAX })),
        }),
      },
    }),
  };
}

/** The configuration that wrangler is given. Throws nothing: what it is made of was checked. */
export function generate(
  part: Part,
  source: Source,
  shape: Shape,
  { vars, secrets }: PartSettings,
): Generated {
  const { name, url, location, domain, paid, hands, migrationsDir } = shape;
  const { config: planned, code } = paid ? source.paid : source.free;
  const config = hands ? bindHands(planned) : planned;
  const ours = (theirs: string) => renameFor(name, theirs);
  const { $schema: _schema, build: _build, main: _main, ...kept } = config;
  const isPublic = part === "ingress";
  const made = {
    ...kept,
    name: ours(config.name),
    main: "index.js",
    no_bundle: true,
    // The database and who asks it belong together: elsewhere each round trip crosses an ocean.
    ...(isPublic && {
      placement: location === null ? { mode: "smart" } : { region: LOCATIONS[location].region },
    }),
    ...(isPublic &&
      domain !== null && { routes: [{ pattern: domain, custom_domain: true }], workers_dev: false }),
    vars: {
      ...(part === "planner" && { INSTALLATION: name }),
      ...(part === "notifier" && { INSTALLATION: name, INSTALLATION_URL: url }),
      ...Object.fromEntries(Object.entries(config.vars ?? {}).map(([key, value]) => [key, ours(value)])),
      ...vars,
    },
    d1_databases: config.d1_databases?.map(({ binding, database_name }) => ({
      binding,
      database_name: ours(database_name),
      migrations_dir: migrationsDir,
    })),
    r2_buckets: config.r2_buckets?.map((bucket) => ({ ...bucket, bucket_name: ours(bucket.bucket_name) })),
    services: config.services?.map((bound) => ({ ...bound, service: ours(bound.service) })),
    containers: config.containers?.map((container) => ({ ...container, name: ours(container.name) })),
    workflows: config.workflows?.map((workflow) => ({ ...workflow, name: ours(workflow.name) })),
    queues: config.queues && {
      producers: config.queues.producers?.map((producer) => ({ ...producer, queue: ours(producer.queue) })),
      consumers: config.queues.consumers?.map((consumer) => ({
        ...consumer,
        queue: ours(consumer.queue),
        ...(consumer.dead_letter_queue !== undefined && {
          dead_letter_queue: ours(consumer.dead_letter_queue),
        }),
      })),
    },
    // A Worker that lacks one of them is refused before it is uploaded.
    secrets: { required: Object.keys(secrets).toSorted() },
  };
  const text = JSON.stringify(made);
  return {
    config: JSON.parse(text),
    code,
    tag: createHash("sha256").update(text).update(code).digest("hex").slice(0, TAG_CHARS),
  };
}

/** Where wrangler finds a Worker. */
export interface WorkerFiles {
  readonly config: string;
  /** Not there until secrets are written to it. */
  readonly secrets: string;
}

const Databases = z.array(z.record(z.string(), z.unknown()));

/** Writes a Worker into a folder of its own, in place of whatever an earlier run has left there. */
export async function writeWorker(
  folder: string,
  part: Part,
  { config, code }: Generated,
  databaseId: string | null = null,
): Promise<WorkerFiles> {
  const own = join(folder, part);
  await rm(own, { recursive: true, force: true });
  await mkdir(own, { recursive: true, mode: 0o700 });
  const files = { config: join(own, "wrangler.json"), secrets: join(own, "secrets.json") };
  const databases = databaseId === null ? [] : Databases.parse(config["d1_databases"] ?? []);
  const bound = databases.map((database) => ({ ...database, database_id: databaseId }));
  const whole = { ...config, ...(bound.length > 0 && { d1_databases: bound }) };
  await writeFile(files.config, `${JSON.stringify(whole, null, 2)}\n`);
  await writeFile(join(own, "index.js"), code);
  return files;
}
