/** A Worker with its bindings, as this machine's runtime takes it. */
import { createHash } from "node:crypto";
import type { V4WorkerOptionsShape } from "miniflare";
import type { WorkerConfig } from "../installation/worker-config.ts";

const VERSION_CHARS = 16;

/** The Worker's version is the hash of its script. A service that is not among the Workers is given as a function. */
export function makeWorkerOptions(
  config: WorkerConfig,
  vars: Readonly<Record<string, string>>,
  script: string,
): V4WorkerOptionsShape {
  const { queues, workflows, version_metadata, durable_objects, containers } = config;
  const tag = createHash("sha256").update(script).digest("hex").slice(0, VERSION_CHARS);
  return {
    name: config.name,
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags ?? [],
    bindings: {
      ...config.vars,
      ...vars,
      ...(version_metadata && { [version_metadata.binding]: { id: tag, tag } }),
    },
    d1Databases: byBinding(config.d1_databases, ({ preview_database_id }) => preview_database_id),
    r2Buckets: byBinding(config.r2_buckets, ({ bucket_name }) => bucket_name),
    serviceBindings: byBinding(config.services, ({ service }) => service),
    workflows: byBinding(workflows, ({ name, class_name }) => ({ name, className: class_name })),
    durableObjects: Object.fromEntries(
      (durable_objects?.bindings ?? []).map(({ name, class_name }) => [
        name,
        {
          className: class_name,
          useSQLite: true,
          ...(containers?.some((one) => one.class_name === class_name) === true && { container: {} }),
        },
      ]),
    ),
    workerLoaders: byBinding(config.worker_loaders, () => ({})),
    queueProducers: byBinding(queues?.producers, ({ queue }) => queue),
    queueConsumers: Object.fromEntries(
      (queues?.consumers ?? []).map((consumer) => [
        consumer.queue,
        {
          maxBatchSize: consumer.max_batch_size,
          maxBatchTimeout: consumer.max_batch_timeout,
          maxRetries: consumer.max_retries,
          ...(consumer.dead_letter_queue !== undefined && { deadLetterQueue: consumer.dead_letter_queue }),
        },
      ]),
    ),
  };
}

function byBinding<Bound extends { binding: string }, Value>(
  bound: readonly Bound[] | undefined,
  valueOf: (one: Bound) => Value,
): Record<string, Value> {
  return Object.fromEntries((bound ?? []).map((one) => [one.binding, valueOf(one)]));
}
