/** `npm run rollback`: the Workers of an earlier release again, by the versions that were written down. Data stays as it is: migrations only add. */
import { parseArgs } from "node:util";
import type { Deployment } from "../deployment.ts";
import { explainFailure } from "../failures.ts";
import { DEPLOY_ORDER } from "../live.ts";
import { conceal, open, prepare } from "../open.ts";
import type { Release } from "../record.ts";
import { Runner, type Step } from "../step.ts";
import { checkName, DEFAULT_NAME } from "../target.ts";
import type { World } from "../world.ts";

export const USAGE = `Usage: npm run rollback -- [--name errand] [--to <number>] [--list] [--yes]
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
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return world.say(USAGE);
  const { name } = values;
  checkName(name);
  const prepared = await prepare({ name, vars: values.vars }, world, { online: false });
  const { releases } = prepared.record;
  if (values.list) return world.say(listReleases(releases));
  const release = choose(releases, values.to, name);
  const deployment = await open({ name, vars: values.vars }, prepared, world);
  const explain = (error: unknown) =>
    conceal(explainFailure(error, deployment.accountId), deployment.settings);
  const steps = planRollback(deployment, release);
  world.say([`${name} back to ${describe(release)}:`, ...steps.map(({ what }) => `  ${what}`)].join("\n"));
  if (!values.yes) {
    if (world.ask === null) throw new Error("Nothing was done: nobody is here to say yes. Add --yes.");
    if (/^n/i.test(await world.ask("Go on? [Y/n] "))) return world.say("Nothing was done.");
  }
  await new Runner(world.say, explain).run(steps);
  // With which secrets these were deployed is not known any more: the next deploy sends them again.
  const kept = Object.entries(deployment.record.workers).filter(
    ([part, { versionId }]) => release.versions[part] === versionId,
  );
  const others = releases.filter((one) => one !== release);
  await deployment.remember({ workers: Object.fromEntries(kept), releases: [release, ...others] });
  world.say(`${name} is what it was. npm run deploy brings it forward again.`);
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

function choose(releases: readonly Release[], to: string | undefined, name: string): Release {
  if (releases.length === 0)
    throw new Error(
      `This machine remembers no release of ${name}. On the machine that deployed it: npm run rollback. Else Worker by Worker: npx wrangler versions list --name ${name}-ingress`,
    );
  const index = to === undefined ? 1 : Number(to);
  const release = releases[index];
  if (release !== undefined && Number.isInteger(index)) return release;
  throw new Error(
    to === undefined
      ? `${name} has one release only: there is nothing to go back to.`
      : `There is no release ${to}.\n${listReleases(releases)}`,
  );
}

const describe = ({ label, at }: Release) => `${label} of ${at}`;

function listReleases(releases: readonly Release[]): string {
  const lines = releases.map(
    (release, index) => `  ${index}  ${describe(release)}${index === 0 ? " (live)" : ""}`,
  );
  return lines.length === 0 ? "No releases are remembered here." : lines.join("\n");
}
