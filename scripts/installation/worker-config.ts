/** A Worker as `wrangler/<name>.jsonc` describes it, for this machine and for Cloudflare. There is no other description. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "jsonc-parser";
import * as z from "zod/mini";

const Queue = z.strictObject({ binding: z.string(), queue: z.string() });
const Consumer = z.strictObject({
  queue: z.string(),
  max_batch_size: z.int(),
  /** Seconds. */
  max_batch_timeout: z.int(),
  max_retries: z.int(),
  dead_letter_queue: z.optional(z.string()),
});
const production = z.optional(z.unknown());

/** Strict: a key that is not listed here would be in force in production, and missing on this machine. */
const WorkerConfig = z.strictObject({
  name: z.string(),
  /** Absolute. */
  main: z.string(),
  compatibility_date: z.string(),
  compatibility_flags: z.optional(z.array(z.string())),
  vars: z.optional(z.record(z.string(), z.string())),
  d1_databases: z.optional(
    z.array(
      z.strictObject({
        binding: z.string(),
        database_name: z.string(),
        /** Names the file on this machine. In production the database is found by its name, so that no id is tracked. */
        preview_database_id: z.string(),
        migrations_dir: z.string(),
      }),
    ),
  ),
  r2_buckets: z.optional(z.array(z.strictObject({ binding: z.string(), bucket_name: z.string() }))),
  services: z.optional(z.array(z.strictObject({ binding: z.string(), service: z.string() }))),
  workflows: z.optional(
    z.array(z.strictObject({ binding: z.string(), name: z.string(), class_name: z.string() })),
  ),
  version_metadata: z.optional(z.strictObject({ binding: z.string() })),
  durable_objects: z.optional(
    z.strictObject({ bindings: z.array(z.strictObject({ name: z.string(), class_name: z.string() })) }),
  ),
  migrations: z.optional(
    z.array(z.strictObject({ tag: z.string(), new_sqlite_classes: z.array(z.string()) })),
  ),
  /** Of Durable Objects that have one each, of the image that Cloudflare keeps. */
  containers: z.optional(
    z.array(
      z.strictObject({
        name: z.string(),
        class_name: z.string(),
        scheduling_policy: z.literal("durable_object"),
      }),
    ),
  ),
  worker_loaders: z.optional(z.array(z.strictObject({ binding: z.string() }))),
  queues: z.optional(
    z.strictObject({ producers: z.optional(z.array(Queue)), consumers: z.optional(z.array(Consumer)) }),
  ),
  /** What only production has. */
  $schema: production,
  build: production,
  limits: production,
  observability: production,
  preview_urls: production,
  triggers: production,
  workers_dev: production,
});
export type WorkerConfig = z.infer<typeof WorkerConfig>;

/** Reads one of them. Throws with the file's name when it cannot be used. */
export async function readWorkerConfig(name: string): Promise<WorkerConfig> {
  const file = `wrangler/${name}.jsonc`;
  const parsed = WorkerConfig.safeParse(
    parse(await readFile(file, "utf8"), [], { allowTrailingComma: true }),
  );
  if (!parsed.success) throw new Error(`${file} cannot be used:\n${z.prettifyError(parsed.error)}`);
  return { ...parsed.data, main: resolve(dirname(file), parsed.data.main) };
}
