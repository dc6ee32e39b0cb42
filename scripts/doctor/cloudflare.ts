/** Whether everything of an installation is on the account, bound to what it should be, and of one version. */
import { readDatabase } from "../cloudflare/database.ts";
import { selectFor } from "../cloudflare/deploy-settings.ts";
import { hasHands } from "../installation/hands.ts";
import type { Deployment } from "../cloudflare/deployment.ts";
import { findDrift } from "../cloudflare/drift.ts";
import type { Generated, Sources } from "../cloudflare/generated.ts";
import { DEPLOY_ORDER, type Part, QUEUES } from "../cloudflare/live.ts";
import { generatePart } from "../cloudflare/change.ts";
import { listMigrations } from "../installation/migrations.ts";
import { examine, fault, type Finding, ok, warn } from "./finding.ts";

/** All of it, side by side. */
export async function examineCloudflare(
  deployment: Deployment,
  sources: Sources,
  renew: string,
): Promise<readonly Finding[]> {
  const parts = DEPLOY_ORDER.filter((part) => part !== "hands" || deployment.hasHands);
  const workers = parts.flatMap((part) =>
    examineWorker(deployment, part, generatePart(deployment, sources, part), renew),
  );
  const database = await examine("database", renew, () => examineDatabase(deployment, renew));
  const plan = deployment.record.paid
    ? ok("plan", "Workers Paid")
    : warn("plan", "Workers Free: code cannot be run", `with Workers Paid: ${renew}`);
  const { handsRefused } = deployment.record;
  const hands =
    hasHands(deployment.settings) && handsRefused !== null
      ? [warn("containers", `scripts run embedded: ${handsRefused}`, renew)]
      : [];
  return [...examineResources(deployment, renew), ...workers, ...database, plan, ...hands];
}

/** Bucket and queues; who consumes them is the Workers' to say. */
function examineResources({ live, target }: Deployment, renew: string): readonly Finding[] {
  const { name } = target;
  const bucket = live.hasBucket
    ? ok("bucket", `${name}-files is there`)
    : fault("bucket", `${name}-files is gone, with the files in it`, renew);
  const queues = QUEUES.map((queue) => {
    const consumers = live.queues.get(`${name}-${queue}`);
    return consumers === undefined
      ? fault(`queue ${name}-${queue}`, "it is gone", renew)
      : ok(`queue ${name}-${queue}`, `it is there, for ${consumers?.[0]?.worker ?? "nobody that is known"}`);
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

function examineWorker(
  deployment: Deployment,
  part: Part,
  generated: Generated,
  renew: string,
): readonly Finding[] {
  const { live, target, settings, record } = deployment;
  const check = `${target.name}-${part}`;
  const worker = live.workers.get(part);
  if (worker === undefined) return [fault(check, "it is not there", renew)];
  const required = Object.keys(selectFor(part, settings).secrets);
  const lacking = required.filter((name) => !worker.secrets.includes(name));
  const before = record.workers[part];
  // Taking a secret away makes a version without a tag.
  const tag = before?.versionId === worker.versionId ? before.tag : worker.tag;
  const findings = [
    ...findDrift(live, part, generated).map((words) => fault(check, words, renew)),
    ...lacking.map((name) => fault(check, `its secret ${name} is not set`, renew)),
    ...(tag === generated.tag
      ? []
      : [
          warn(
            check,
            `its version is ${tag ?? worker.versionId}, and this clone's ${generated.tag}: another release, or edited elsewhere`,
            renew,
          ),
        ]),
  ];
  return findings.length > 0 ? findings : [ok(check, `version ${generated.tag}`)];
}
