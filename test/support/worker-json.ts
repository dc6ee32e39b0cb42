/** A Worker's generated configuration, as far as wrangler reads it, and the bindings that it makes of it. */

export interface WorkerJson {
  name: string;
  limits?: object;
  vars?: Record<string, string>;
  workers_dev: boolean;
  preview_urls: boolean;
  placement?: object;
  routes?: { pattern: string }[];
  triggers?: { crons: string[] };
  d1_databases?: { binding: string; database_name: string; database_id?: string; migrations_dir: string }[];
  r2_buckets?: { binding: string; bucket_name: string }[];
  services?: { binding: string; service: string }[];
  worker_loaders?: { binding: string }[];
  version_metadata?: { binding: string };
  workflows?: { binding: string; name: string; class_name: string }[];
  queues?: {
    producers?: { binding: string; queue: string }[];
    consumers?: { queue: string; dead_letter_queue?: string; max_batch_size: number; max_retries: number }[];
  };
  durable_objects?: { bindings: { name: string; class_name: string }[] };
  containers?: { name: string; class_name: string; scheduling_policy: string }[];
  secrets?: { required: string[] };
}

/** But for the databases, whose ids have to be asked for. */
export function describeBindings(config: WorkerJson, secrets: Record<string, string>) {
  return [
    ...Object.entries(config.vars ?? {}).map(([name, text]) => ({ name, type: "plain_text", text })),
    ...Object.entries(secrets).map(([name, text]) => ({ name, type: "secret_text", text })),
    ...(config.r2_buckets ?? []).map(({ binding, bucket_name }) => ({
      name: binding,
      type: "r2_bucket",
      bucket_name,
    })),
    ...(config.services ?? []).map(({ binding, service }) => ({ name: binding, type: "service", service })),
    ...(config.worker_loaders ?? []).map(({ binding }) => ({ name: binding, type: "worker_loader" })),
    ...(config.durable_objects?.bindings ?? []).map(({ name, class_name }) => ({
      name,
      type: "durable_object_namespace",
      class_name,
    })),
    ...(config.version_metadata ? [{ name: config.version_metadata.binding, type: "version_metadata" }] : []),
    ...(config.workflows ?? []).map(({ binding, name }) => ({
      name: binding,
      type: "workflow",
      workflow_name: name,
    })),
    ...(config.queues?.producers ?? []).map(({ binding, queue }) => ({
      name: binding,
      type: "queue",
      queue_name: queue,
    })),
  ];
}
