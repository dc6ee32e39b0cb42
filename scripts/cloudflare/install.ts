/** `npm run deploy`: reads what there is, plans what is missing, and does it. The first time and every upgrade are the same. */
import { type DatabaseState, planFirstKey, planMigrations } from "./database.ts";
import type { Deployment } from "./deployment.ts";
import { writeWorker } from "./generated.ts";
import { refuseForgotten } from "./forgotten.ts";
import { addRelease, listRecords, readRecord } from "./record.ts";
import { hasHands } from "../installation/hands.ts";
import { planHands, planHandsRemoval } from "./containers.ts";
import { findNewDomain, planDetaching } from "./domains.ts";
import { selectMade } from "./deploy-settings.ts";
import { planResources, suggestSubdomain } from "./resources.ts";
import type { Runner, Step } from "./step.ts";
import { listLeftBehind, planWebhooks } from "./webhooks/index.ts";
import { generatedFolder, generatePart } from "./change.ts";
import { planCallers, planRunner, planWorker, type WorkerOptions } from "./workers.ts";

export interface Plan {
  readonly url: string;
  /** Resources, migrations, the key. */
  readonly ground: readonly Step[];
  readonly runner: readonly Step[];
  readonly hands: readonly Step[];
  /** The other Workers, unless it turns out that the account has another plan. */
  readonly callers: readonly Step[];
  /** Hosts that lead here no more, and containers that are not chosen any more. */
  readonly detaching: readonly Step[];
  readonly webhooks: readonly Step[];
  /** What a person should know before they say yes. */
  readonly notes: readonly string[];
}

export interface InstallOptions extends WorkerOptions {
  /** Make another API key, with which nobody has to have one. */
  readonly newKey: boolean;
  /** Settings that are to go: one that is missing otherwise may be forgotten, and is asked for. */
  readonly remove: readonly string[];
  /** Whether platforms and account may be asked. */
  readonly online: boolean;
}

/** What would be done. Throws when it cannot be done at all. */
export async function planInstall(
  deployment: Deployment,
  database: DatabaseState,
  options: InstallOptions,
): Promise<Plan> {
  const { live, target } = deployment;
  const executor = `${target.name}-executor`;
  if (live.workflowOwner !== null && live.workflowOwner !== executor)
    throw new Error(
      `The account has a Workflow ${target.name}-task already, of the Worker ${live.workflowOwner}. Take another name: --name other`,
    );
  refuseForgotten(deployment, options.remove);
  const subdomain = live.subdomain ?? suggestSubdomain(deployment.accountId);
  const url = deployment.url(subdomain);
  const newDomain = options.online ? await findNewDomain(deployment) : null;
  const writeConfig = async () => {
    const generated = generatePart(deployment, options.sources, "ingress");
    return (await writeWorker(generatedFolder(deployment), "ingress", generated)).config;
  };
  const isDoorNew = planWorker(deployment, options, "ingress").length > 0;
  return {
    url,
    ground: [
      ...planResources(deployment),
      ...(await planMigrations(deployment, database, writeConfig)),
      ...planFirstKey(deployment, database, options.newKey),
    ],
    runner: planRunner(deployment, options),
    hands: planHands(deployment, options),
    callers: planCallers(deployment, options),
    detaching: [
      ...planDetaching(deployment, target.domain),
      ...(hasHands(deployment.settings) ? [] : planHandsRemoval(deployment)),
    ],
    webhooks: options.online
      ? await planWebhooks(deployment, url, await listOthers(deployment), isDoorNew)
      : [],
    notes: [
      ...(newDomain === null ? [] : [`whatever ${newDomain} leads to now is replaced`]),
      ...listLeftBehind(deployment),
    ],
  };
}

/** Two installations that share a bot would take it from each other. */
async function listOthers({ folder, target }: Deployment): Promise<{ name: string; url: string }[]> {
  const others = (await listRecords(folder)).filter((name) => name !== target.name);
  const records = await Promise.all(others.map((name) => readRecord(folder, name).catch(() => null)));
  return records.flatMap((record) =>
    record === null || record.url === null ? [] : [{ name: record.name, url: record.url }],
  );
}

/** Carries the plan out. */
export async function install(
  deployment: Deployment,
  plan: Plan,
  options: InstallOptions,
  steps: Runner,
): Promise<void> {
  const { url, ground, runner, hands, callers, detaching, webhooks } = plan;
  const { accountId, target, source } = deployment;
  const { location, domain } = target;
  await deployment.remember({ account: accountId, location, domain, url, given: [...source.given] });
  const after = detaching.length + webhooks.length;
  await steps.run([...ground, ...runner], hands.length + callers.length + after);
  if (runner.length > 0 && !deployment.record.paid)
    steps.say(
      "     refused as it is: the account is on Workers Free, so it goes on with a runner that runs scripts, and no code",
    );
  await steps.run(hands, callers.length + after);
  const { handsRefused } = deployment.record;
  if (hands.length > 0 && handsRefused !== null)
    steps.say(`     refused: ${handsRefused}. Scripts run embedded`);
  // Only now it is known what the account may have, and what calls it is made accordingly.
  await steps.run(planCallers(deployment, options), after);
  await rememberRelease(deployment, options.label);
  await steps.run([...detaching, ...webhooks]);
}

async function rememberRelease(deployment: Deployment, label: string): Promise<void> {
  const versions = Object.entries(deployment.record.workers).map(([part, { versionId }]) => [
    part,
    versionId,
  ]);
  const made = selectMade(deployment.settings);
  const release = { at: new Date().toISOString(), label, versions: Object.fromEntries(versions), made };
  await deployment.remember(addRelease(deployment.record, release));
}
