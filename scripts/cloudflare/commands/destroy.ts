/** `npm run destroy`: an installation taken off the account. What people have said and made goes only when that is said, too, and after an export. */
import { rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { readDatabase } from "../database.ts";
import { planDataRemoval, planExport, planRemoval, refuseForeignFiles } from "../removal.ts";
import type { Deployment } from "../deployment.ts";
import { makeExplain, open, prepare } from "../open.ts";
import { whileLocked } from "../lock.ts";
import { listRecords, removeRecord } from "../record.ts";
import { suggestSubdomain } from "../resources.ts";
import { Runner } from "../step.ts";
import { checkName, DEFAULT_NAME } from "../target.ts";
import { planWebhookRemoval } from "../webhooks/index.ts";
import { generatedFolder } from "../change.ts";
import type { World } from "../world.ts";

export const USAGE = `Usage: npm run destroy -- [--name errand] [--data] [--confirm errand] [--vars file]
  takes the Workers, queues and the Workflow off the account; the database and the files stay
  --data     those too, after they were exported into .errand/deploy
  --confirm  the name once more, where nobody can be asked to type it`;

export async function destroy(args: readonly string[], world: World): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      name: { type: "string", default: DEFAULT_NAME },
      data: { type: "boolean", default: false },
      confirm: { type: "string" },
      vars: { type: "string" },
    },
  });
  const { name } = values;
  checkName(name);
  await whileLocked(world.folder, name, () => takeAway(values, world));
}

interface Options {
  readonly name: string;
  readonly data: boolean;
  readonly confirm?: string | undefined;
  readonly vars?: string | undefined;
}

async function takeAway({ name, data, vars, confirm: typed }: Options, world: World): Promise<void> {
  const prepared = await prepare({ name, vars }, world, { online: false, lenient: true });
  const deployment = await open({ name, vars }, prepared, world);
  const { accountId, live, record } = deployment;
  // Whose database it is is found out before anything of it goes.
  if (data) {
    await readDatabase(deployment).catch(unlessLater);
    await refuseForeignFiles(deployment);
  }
  const url = record.url ?? deployment.url(live.subdomain ?? suggestSubdomain(accountId));
  const now = new Date();
  const steps = [
    ...(data ? planExport(deployment, now) : []),
    ...planWebhookRemoval(deployment, url, world.say),
    ...planRemoval(deployment),
    ...(data ? planDataRemoval(deployment, now) : []),
  ];
  if (steps.length === 0) return world.say(await describeNothing(deployment));
  const kept = data
    ? "  nothing of it is kept but what is exported"
    : "  its database and its files are kept";
  world.say(
    [`${name}, on the account ${accountId}:`, ...steps.map(({ what }) => `  ${what}`), kept].join("\n"),
  );
  await confirm(name, typed, data, world);
  await new Runner(world.say, makeExplain(deployment)).run(steps);
  await rm(generatedFolder(deployment), { recursive: true, force: true });
  world.say(await forget(deployment, data));
}

/** What a later version has migrated may be taken away by this one. */
function unlessLater(error: unknown): void {
  if (!(error instanceof Error && /later version/.test(error.message))) throw error;
}

async function describeNothing({ target, live, folder }: Deployment): Promise<string> {
  const { name } = target;
  if (live.database !== null || live.hasBucket)
    return `The Workers and queues of ${name} are gone already; its database and its files are kept. Them, too: npm run destroy -- --name ${name} --data`;
  const known = (await listRecords(folder)).filter((one) => one !== name);
  return `There is nothing of ${name} on the account.${known.length > 0 ? ` Known here: ${known.join(", ")}.` : ""}`;
}

async function confirm(
  name: string,
  given: string | undefined,
  data: boolean,
  { ask }: World,
): Promise<void> {
  const typed = given ?? (await ask?.(`${data ? "This cannot be undone. " : ""}Type the name to go on: `));
  if (typed === undefined)
    throw new Error(`Nothing was done: nobody is here to type the name. Add --confirm ${name}.`);
  if (typed !== name) throw new Error(`Nothing was done: "${typed}" is not ${name}.`);
}

/** What is left, in words. While there is a database, its key is kept with it. */
async function forget(deployment: Deployment, data: boolean): Promise<string> {
  const { folder, target, live } = deployment;
  const { name } = target;
  if (data || (live.database === null && !live.hasBucket)) {
    await removeRecord(folder, name);
    return `Nothing of ${name} is left on the account. Exports, if any, are in ${folder}.`;
  }
  await deployment.remember({ workers: {}, releases: [], webhooks: {}, live: null, url: null, paid: true });
  return `The database ${name} and the bucket ${name}-files are kept. npm run deploy -- --name ${name} brings it back; npm run destroy -- --name ${name} --data deletes them, too.`;
}
