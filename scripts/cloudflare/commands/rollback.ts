/** `npm run rollback`: the Workers of an earlier release again, by the versions that were written down. Data stays as it is: migrations only add. */
import { parseArgs } from "node:util";
import type { Deployment } from "../deployment.ts";
import { PATIENT_TRIES } from "../../installation/health.ts";
import { DEPLOY_ORDER } from "../live.ts";
import { whileLocked } from "../lock.ts";
import { makeExplain, open, prepare } from "../open.ts";
import { findLiveRelease, type InstallationRecord, type Release } from "../record.ts";
import { Runner, type Step } from "../step.ts";
import { registerAgain } from "../webhooks/index.ts";
import { checkName, DEFAULT_NAME } from "../target.ts";
import { isAgreed, type World } from "../world.ts";

export const USAGE = `Usage: npm run rollback -- [--name errand] [--to <number>] [--list] [--yes] [--vars file]
  takes the Workers back to the release before the one that is live, or to the one with that number
  --list  the releases that can be gone back to
Cloudflare keeps the last 100 versions of a Worker. Secrets come back with them; the database, files and queues stay as they are.`;

export async function rollback(args: readonly string[], world: World): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      name: { type: "string", default: DEFAULT_NAME },
      to: { type: "string" },
      list: { type: "boolean", default: false },
      yes: { type: "boolean", default: false },
      vars: { type: "string" },
    },
  });
  const { name } = values;
  checkName(name);
  return whileLocked(world.folder, name, () => takeBack(values, world));
}

interface Options {
  readonly name: string;
  readonly to?: string | undefined;
  readonly list: boolean;
  readonly yes: boolean;
  readonly vars?: string | undefined;
}

async function takeBack(values: Options, world: World): Promise<void> {
  const { name } = values;
  const prepared = await prepare({ name, vars: values.vars }, world, { online: false, lenient: true });
  const { record } = prepared;
  if (values.list) return world.say(listReleases(record));
  const release = choose(record, values.to);
  const deployment = await open({ name, vars: values.vars }, prepared, world);
  const explain = makeExplain(deployment);
  const steps = planRollback(deployment, release);
  world.say([`${name} back to ${describe(release)}:`, ...steps.map(({ what }) => `  ${what}`)].join("\n"));
  if (!values.yes && !(await isAgreed(world))) return world.say("Nothing was done.");
  await new Runner(world.say, explain).run(steps);
  // With which secrets these were deployed is not known any more: the next deploy sends them again.
  const kept = Object.entries(deployment.record.workers).filter(
    ([part, { versionId }]) => release.versions[part] === versionId,
  );
  const releases = record.releases.map((one) => ({
    ...one,
    left: one.at > release.at || (one.left === true && one !== release),
  }));
  await deployment.remember({ workers: Object.fromEntries(kept), releases, live: release.at });
  // The door knows the secrets of then again, and the platforms have to.
  if (record.url !== null)
    await registerAgain(deployment, record.url, { ...deployment.settings, ...release.made }).catch(
      (error: unknown) =>
        world.say(`⚠ ${explain(error)}\nWebhooks may be refused until: npm run deploy -- --name ${name}`),
    );
  const health = record.url === null ? { kind: "ok" } : await world.askHealth(record.url, PATIENT_TRIES);
  if (health.kind !== "ok")
    world.say(`⚠ ${record.url}/health does not answer as it should: npm run doctor -- --name ${name}`);
  world.say(`${name} is what it was. npm run deploy -- --name ${name} brings it forward again.`);
}

/** Callers first, so that nobody calls what is not there yet in the older version. */
function planRollback({ live, wrangler, target }: Deployment, { versions, label }: Release): Step[] {
  return DEPLOY_ORDER.toReversed().flatMap((part) => {
    const versionId = versions[part];
    if (versionId === undefined || live.workers.get(part)?.versionId === versionId) return [];
    const worker = `${target.name}-${part}`;
    const message = `back to ${label}`;
    return {
      what: `takes ${worker} back to the version ${versionId}`,
      run: async () => {
        await wrangler.run(["rollback", versionId, "--name", worker, "--yes", "--message", message]);
      },
    };
  });
}

/** Without a number the newest release before the live one that was not gone back from. */
function choose(record: InstallationRecord, to: string | undefined): Release {
  const { name, releases } = record;
  const live = findLiveRelease(record);
  if (live === undefined)
    throw new Error(
      `This machine remembers no release of ${name}. On the machine that deployed it: npm run rollback. Else Worker by Worker: npx wrangler versions list --name ${name}-ingress`,
    );
  const before = releases.filter(({ at, left }) => at < live.at && left !== true);
  const release = to === undefined ? before[0] : releases[Number(to)];
  if (release === undefined)
    throw new Error(
      to === undefined
        ? `There is no release of ${name} before the live one.`
        : `There is no release ${to}.\n${listReleases(record)}`,
    );
  if (release === live) throw new Error(`${describe(release)} is the live one.`);
  return release;
}

const describe = ({ label, at }: Release) => `${label} of ${at}`;

function listReleases(record: InstallationRecord): string {
  const live = findLiveRelease(record);
  const lines = record.releases.map((release, index) => {
    const state = release === live ? " (live)" : release.left === true ? " (gone back from)" : "";
    return `  ${index}  ${describe(release)}${state}`;
  });
  return lines.length === 0 ? "No releases are remembered here." : lines.join("\n");
}
