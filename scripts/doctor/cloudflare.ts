/** Whether everything of an installation is on the account, bound to what it should be, and of one version. */
import * as z from "zod/mini";
import { readDatabase } from "../cloudflare/database.ts";
import type { Deployment } from "../cloudflare/deployment.ts";
import type { Generated, Sources } from "../cloudflare/generated.ts";
import { DEPLOY_ORDER, type Part, QUEUES } from "../cloudflare/live.ts";
import { generatePart } from "../cloudflare/workers.ts";
import { listMigrations } from "../installation/migrations.ts";
import { examine, fault, type Finding, ok, warn } from "./finding.ts";

/** What the generated configurations say of bindings and consumers. */
const Config = z.object({
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
  secrets: z.object({ required: z.array(z.string()) }),
});
type Config = z.infer<typeof Config>;

const Bound = z.object({ bindings: z.array(z.looseObject({ name: z.string() })) });
const Schedules = z.object({ schedules: z.array(z.object({ cron: z.string() })) });

/** All of it, side by side. */
export async function examineCloudflare(
  deployment: Deployment,
  sources: Sources,
  renew: string,
): Promise<readonly Finding[]> {
  const parts = DEPLOY_ORDER.filter((part) => part !== "runner" || deployment.record.paid);
  const made = parts.map((part) => ({ part, generated: generatePart(deployment, sources, part) }));
  const found = await Promise.all([
    ...made.map(({ part, generated }) =>
      examine(part, renew, () => examineWorker(deployment, part, generated, renew)),
    ),
    examine("database", renew, () => examineDatabase(deployment, renew)),
  ]);
  const plan = deployment.live.workers.has("runner")
    ? ok("plan", "Workers Paid")
    : warn("plan", "there is no runner: code cannot be run", `with Workers Paid: ${renew}`);
  return [...examineResources(deployment, made, renew), ...found.flat(), plan];
}

interface Made {
  readonly part: Part;
  readonly generated: Generated;
}

/** Bucket and queues, and that each queue is consumed by whom it should be. */
function examineResources(
  { live, target }: Deployment,
  made: readonly Made[],
  renew: string,
): readonly Finding[] {
  const { name } = target;
  const consumers = made.flatMap(({ part, generated }) =>
    (Config.parse(generated.config).queues?.consumers ?? []).map((consumer) => ({
      ...consumer,
      worker: `${name}-${part}`,
    })),
  );
  const bucket = live.hasBucket
    ? ok("bucket", `${name}-files is there`)
    : fault("bucket", `${name}-files is gone, with the files in it`, renew);
  const queues = QUEUES.map((queue) => {
    const check = `queue ${name}-${queue}`;
    const found = live.queues.get(`${name}-${queue}`);
    const wanted = consumers.find((consumer) => consumer.queue === `${name}-${queue}`);
    if (found === undefined) return fault(check, "it is gone", renew);
    const [consumer] = found;
    if (consumer === undefined) return fault(check, "nobody consumes it", `${renew} --overwrite`);
    if (consumer.worker !== wanted?.worker)
      return fault(
        check,
        `${consumer.worker} consumes it, and not ${wanted?.worker ?? "anybody of ours"}`,
        `npx wrangler queues consumer remove ${name}-${queue} ${consumer.worker}, and then ${renew}`,
      );
    if (consumer.deadLetters !== (wanted.dead_letter_queue ?? null))
      return fault(
        check,
        `what cannot be handled goes to ${consumer.deadLetters ?? "nowhere"}, and not to ${wanted.dead_letter_queue ?? "nowhere"}`,
        renew,
      );
    return ok(check, `${consumer.worker} consumes it`);
  });
  return [bucket, ...queues];
}

async function examineDatabase(deployment: Deployment, renew: string): Promise<readonly Finding[]> {
  if (deployment.live.database === null)
    return [fault("database", `${deployment.target.name} is gone`, renew)];
  const { applied, hasKeys } = await readDatabase(deployment);
  const missing = (await listMigrations()).filter((name) => !applied.includes(name));
  return [
    missing.length > 0
      ? fault("migrations", `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not applied`, renew)
      : ok("migrations", `all ${applied.length} are applied`),
    hasKeys ? ok("API keys", "there are some") : fault("API keys", "there is none", `${renew} --new-key`),
  ];
}

async function examineWorker(
  deployment: Deployment,
  part: Part,
  generated: Generated,
  renew: string,
): Promise<readonly Finding[]> {
  const { api, accountId, live, target } = deployment;
  const check = `${target.name}-${part}`;
  const worker = live.workers.get(part);
  if (worker === undefined) return [fault(check, "it is not there", renew)];
  const config = Config.parse(generated.config);
  const script = `/accounts/${accountId}/workers/scripts/${check}`;
  const bound = await api.find(`${script}/settings`, Bound);
  const strange = listStrange(config, bound?.bindings ?? [], live.database?.id ?? "");
  const lacking = config.secrets.required.filter((name) => !worker.secrets.includes(name));
  const crons =
    config.triggers === undefined
      ? []
      : ((await api.find(`${script}/schedules`, Schedules))?.schedules ?? []);
  const findings = [
    ...strange.map((words) => fault(check, words, `${renew} --overwrite`)),
    ...lacking.map((name) => fault(check, `its secret ${name} is not set`, renew)),
    ...(config.triggers !== undefined && crons.length === 0
      ? [fault(check, "it has no clock: nothing rings what was lost", `${renew} --overwrite`)]
      : []),
    ...(worker.tag === generated.tag
      ? []
      : [
          warn(
            check,
            `its version is ${worker.tag ?? worker.versionId}, and this clone's ${generated.tag}: another release, or edited elsewhere`,
            renew,
          ),
        ]),
  ];
  return findings.length > 0 ? findings : [ok(check, `version ${generated.tag}`)];
}

/** Bindings to what belongs to somebody else, and those that are missing. */
function listStrange(
  config: Config,
  bindings: z.infer<typeof Bound>["bindings"],
  databaseId: string,
): string[] {
  const wanted = [
    ...(config.services ?? []).map(({ binding, service }) => ({ binding, key: "service", to: service })),
    ...(config.r2_buckets ?? []).map(({ binding, bucket_name }) => ({
      binding,
      key: "bucket_name",
      to: bucket_name,
    })),
    ...(config.queues?.producers ?? []).map(({ binding, queue }) => ({
      binding,
      key: "queue_name",
      to: queue,
    })),
    ...bindings
      .filter(({ type }) => type === "d1")
      .map(({ name }) => ({ binding: name, key: "id", to: databaseId })),
  ];
  return wanted.flatMap(({ binding, key, to }) => {
    const found = bindings.find(({ name }) => name === binding);
    const actual = found?.[key] ?? (key === "id" ? found?.["database_id"] : undefined);
    if (found === undefined) return [`it lacks the binding ${binding}, to ${to}`];
    return actual === undefined || actual === to
      ? []
      : [`its ${binding} is bound to ${JSON.stringify(actual)}, and not to ${to}`];
  });
}
