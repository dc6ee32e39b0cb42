/** The Workers of an installation, each after those that it calls. One that is live as it should be is left alone. */
import { rm, writeFile } from "node:fs/promises";
import * as z from "zod/mini";
import { type Change, findChange, generatedFolder, hashSecret } from "./change.ts";
import { selectFor } from "./deploy-settings.ts";
import type { Deployment } from "./deployment.ts";
import { isPaidOnly } from "./failures.ts";
import { type Sources, writeWorker } from "./generated.ts";
import { DEPLOY_ORDER, findLiveVersion, type Part } from "./live.ts";
import type { Step } from "./step.ts";
import { WranglerError } from "./wrangler.ts";

export interface WorkerOptions {
  readonly sources: Sources;
  /** What the release is called. */
  readonly label: string;
  /** Deploy over what was edited elsewhere, such as on the dashboard. */
  readonly overwrite: boolean;
}

/** Steps for all but those that the account may refuse. */
export function planCallers(deployment: Deployment, options: WorkerOptions): Step[] {
  return DEPLOY_ORDER.filter((part) => part !== "runner" && part !== "hands").flatMap((part) =>
    planWorker(deployment, options, part),
  );
}

/** The step for one, if it is to be deployed. */
export function planWorker(deployment: Deployment, options: WorkerOptions, part: Part): Step[] {
  const change = findChange(deployment, options.sources, part);
  if (change === null) return [];
  const what = `deploys ${deployment.target.name}-${part} (${change.why})`;
  return [{ what, run: () => deployOnPlan(deployment, options, part, change) }];
}

/** The step for the runner, which tells the account's plan: it is tried as Workers Paid takes it each time, for an account may change its plan. */
export function planRunner(deployment: Deployment, options: WorkerOptions): Step[] {
  if (deployment.record.paid) return planWorker(deployment, options, "runner");
  const change = findChange(deployment, options.sources, "runner", true);
  if (change === null) return [];
  const what = `deploys ${deployment.target.name}-runner (${change.why}), whose isolates were refused before: they need Workers Paid`;
  return [{ what, run: () => deployOnPlan(deployment, options, "runner", change) }];
}

/** As it is; where the plan is found to be Workers Free, by what it refuses, as that takes it. */
async function deployOnPlan(
  deployment: Deployment,
  options: WorkerOptions,
  part: Part,
  change: Change,
): Promise<void> {
  const { paid, workers } = deployment.record;
  try {
    await deploy(deployment, options, part, change);
    if (part === "runner" && !paid) await deployment.remember({ paid: true });
  } catch (error) {
    if (!isPaidOnly(error) || (part !== "runner" && !paid)) throw error;
    const { runner: _runner, ...others } = workers;
    // Of a plan that was another until now the runner is made anew, too.
    await deployment.remember({ paid: false, workers: paid ? others : workers });
    for (const one of new Set<Part>(["runner", part])) {
      const again = findChange(deployment, options.sources, one);
      if (again !== null) await deploy(deployment, options, one, again);
    }
  }
}

async function deploy(
  deployment: Deployment,
  options: WorkerOptions,
  part: Part,
  change: Change,
): Promise<void> {
  const { wrangler, target, record } = deployment;
  const worker = `${target.name}-${part}`;
  const { generated, send, stale } = change;
  const databaseId = await findDatabaseId(deployment);
  const files = await writeWorker(generatedFolder(deployment), part, generated, databaseId);
  const writeSecrets = (secrets: Readonly<Record<string, string | null>>) =>
    writeFile(files.secrets, JSON.stringify(secrets), { mode: 0o600 });
  try {
    const strict = options.overwrite ? [] : ["--strict"];
    const named = ["--tag", generated.tag, "--message", options.label];
    const secret = Object.keys(send).length > 0 ? ["--secrets-file", files.secrets] : [];
    if (secret.length > 0) await writeSecrets(send);
    const { versionId } = await wrangler.run(["deploy", "-c", files.config, ...strict, ...named, ...secret]);
    if (versionId === null) throw new WranglerError("wrangler has deployed nothing.", 0);
    const live = stale.length === 0 ? versionId : await takeAway(deployment, worker, stale, files.secrets);
    const { secrets } = selectFor(part, deployment.settings);
    const hashes = Object.fromEntries(
      Object.entries(secrets).map(([name, value]) => [name, hashSecret(value)]),
    );
    const workers = {
      ...deployment.record.workers,
      [part]: { versionId: live, tag: generated.tag, secrets: hashes },
    };
    await deployment.remember({ workers });
  } catch (error) {
    if (!(error instanceof WranglerError) || error.code !== 0 || !/conflict/i.test(error.message))
      throw error;
    throw new Error(
      `${worker} was changed by somebody else, such as on the dashboard. To deploy over that: npm run deploy -- --name ${record.name} --overwrite`,
      { cause: error },
    );
  } finally {
    await rm(files.secrets, { force: true });
  }
}

/** By its name wrangler would leave a Worker bound to the database that it is bound to, also when that is gone. */
async function findDatabaseId({ api, accountId, target }: Deployment): Promise<string | null> {
  const found = await api.find(
    `/accounts/${accountId}/d1/database/${target.name}`,
    z.object({ uuid: z.string() }),
  );
  return found?.uuid ?? null;
}

/** After the deploy: secrets can be edited only while the latest version is the live one. @returns the version that this makes. */
async function takeAway(
  { wrangler, api, accountId }: Deployment,
  worker: string,
  names: readonly string[],
  file: string,
): Promise<string> {
  await writeFile(file, JSON.stringify(Object.fromEntries(names.map((name) => [name, null]))), {
    mode: 0o600,
  });
  await wrangler.run(["secret", "bulk", file, "--name", worker]);
  const live = await findLiveVersion(api, accountId, worker);
  if (live === null) throw new Error(`${worker} has no live version.`);
  return live;
}
