/** What of a Worker that is deployed is not as its configuration says: whom it is bound to, whom it consumes for, whether it rings, and who may reach it. */
import * as z from "zod/mini";
import type { Generated } from "./generated.ts";
import type { Live, LiveBinding, Part } from "./live.ts";

/** What a generated configuration says of all that. */
const Config = z.object({
  name: z.string(),
  workers_dev: z.boolean(),
  services: z.optional(z.array(z.object({ binding: z.string(), service: z.string() }))),
  r2_buckets: z.optional(z.array(z.object({ binding: z.string(), bucket_name: z.string() }))),
  queues: z.optional(
    z.object({
      producers: z.optional(z.array(z.object({ binding: z.string(), queue: z.string() }))),
      consumers: z.optional(
        z.array(z.object({ queue: z.string(), dead_letter_queue: z.optional(z.string()) })),
      ),
    }),
  ),
  triggers: z.optional(z.object({ crons: z.array(z.string()) })),
});
type Config = z.infer<typeof Config>;

/** In words; empty when all of it is as it should be. What nobody could read is taken as it should be. */
export function findDrift(live: Live, part: Part, generated: Generated): string[] {
  const worker = live.workers.get(part);
  if (worker === undefined) return [];
  const config = Config.parse(generated.config);
  const rings = config.triggers === undefined || worker.crons === null || worker.crons.length > 0;
  const { door } = worker;
  const isOpen = door !== null && ((door.enabled && !config.workers_dev) || door.previews_enabled === true);
  const isShut = door !== null && config.workers_dev && !door.enabled;
  return [
    ...listStrange(config, worker.bindings ?? [], live.database?.id ?? null),
    ...listConsumers(config, live),
    ...(rings ? [] : ["it has no clock: nothing rings what was lost"]),
    ...(isOpen ? ["strangers can reach it on workers.dev"] : []),
    ...(isShut ? ["nobody can reach it on workers.dev"] : []),
  ];
}

/** Queues that it should consume, and does not, or not as it should. */
function listConsumers({ name, queues }: Config, live: Live): string[] {
  const all = [...live.queues.values()].flatMap((consumers) => consumers ?? []);
  // Where the account tells of no dead-letter queue at all, it may not tell of any.
  const tellsDeadLetters = all.some(({ deadLetters }) => deadLetters !== null);
  return (queues?.consumers ?? []).flatMap(({ queue, dead_letter_queue: wanted = null }) => {
    const consumers = live.queues.get(queue) ?? (live.queues.has(queue) ? null : []);
    if (consumers === null) return [];
    const [consumer] = consumers;
    if (consumer === undefined) return [`nobody consumes ${queue}`];
    if (consumer.worker !== name)
      return [
        `${consumer.worker} consumes ${queue}: npx wrangler queues consumer remove ${queue} ${consumer.worker}`,
      ];
    return !tellsDeadLetters || consumer.deadLetters === wanted
      ? []
      : [
          `what cannot be handled in ${queue} goes to ${consumer.deadLetters ?? "nowhere"}, and not to ${wanted ?? "nowhere"}`,
        ];
  });
}

/** Bindings to what is not ours, or is gone, and those that are missing. */
function listStrange(config: Config, bindings: readonly LiveBinding[], databaseId: string | null): string[] {
  if (bindings.length === 0) return [];
  const wanted = [
    ...(config.services ?? []).map(({ binding, service }) => ({ binding, key: "service", to: service })),
    ...(config.r2_buckets ?? []).map(({ binding, bucket_name: to }) => ({ binding, key: "bucket_name", to })),
    ...(config.queues?.producers ?? []).map(({ binding, queue: to }) => ({ binding, key: "queue_name", to })),
    ...bindings
      .filter(({ type }) => type === "d1")
      .map(({ name }) => ({ binding: name, key: "id", to: databaseId ?? "the database that is to be made" })),
  ];
  return wanted.flatMap(({ binding, key, to }) => {
    const found = bindings.find(({ name }) => name === binding);
    if (found === undefined) return [`it lacks the binding ${binding}, to ${to}`];
    const actual = found[key] ?? (key === "id" ? found["database_id"] : undefined);
    return actual === undefined || actual === to
      ? []
      : [`its ${binding} is bound to ${JSON.stringify(actual)}, and not to ${to}`];
  });
}
