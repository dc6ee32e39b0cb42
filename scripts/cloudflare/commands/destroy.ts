/** `npm run destroy`: an installation taken off the account. What people have said and made goes only when that is said, too, and after an export. */
import { rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { describeError } from "../../../shared/errors.ts";
import { planDataRemoval, planRemoval } from "../removal.ts";
import type { Deployment } from "../deployment.ts";
import { explainFailure } from "../failures.ts";
import { conceal, open, prepare } from "../open.ts";
import { removeRecord } from "../record.ts";
import { suggestSubdomain } from "../resources.ts";
import { Runner, type Step } from "../step.ts";
import { checkName, DEFAULT_NAME } from "../target.ts";
import { planWebhookRemoval } from "../webhooks/index.ts";
import { generatedFolder } from "../workers.ts";
import type { World } from "../world.ts";

export const USAGE = `Usage: npm run destroy -- [--name errand] [--data] [--confirm errand]
  takes the Workers, queues and the Workflow off the account; the database and the files stay
  --data     those too, after the database was exported into .errand/deploy
  --confirm  the name once more, where nobody can be asked to type it`;

export async function destroy(args: readonly string[], world: World): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      name: { type: "string", default: DEFAULT_NAME },
      data: { type: "boolean", default: false },
      confirm: { type: "string" },
      vars: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return world.say(USAGE);
  const { name, vars, data } = values;
  checkName(name);
  const deployment = await open(
    { name, vars },
    await prepare({ name, vars }, world, { online: false }),
    world,
  );
  const url =
    deployment.record.url ??
    deployment.url(deployment.live.subdomain ?? suggestSubdomain(deployment.accountId));
  const steps = [
    ...(deployment.live.workers.has("ingress")
      ? planWebhookRemoval(deployment, url).map((step) => forgiving(step, world))
      : []),
    ...planRemoval(deployment),
    ...(data ? planDataRemoval(deployment, new Date()) : []),
  ];
  world.say(
    [`${name}, on the account ${deployment.accountId}:`, ...steps.map(({ what }) => `  ${what}`)].join("\n"),
  );
  if (steps.length === 0) world.say("  nothing of it is left there");
  else await confirm(name, values.confirm, world);
  const explain = (error: unknown) =>
    conceal(explainFailure(error, deployment.accountId), deployment.settings);
  await new Runner(world.say, explain).run(steps);
  await rm(generatedFolder(deployment), { recursive: true, force: true });
  world.say(await forget(deployment, data));
}

/** A bot whose token is good no more keeps nobody from destroying. */
function forgiving({ what, run }: Step, { say }: World): Step {
  return {
    what,
    run: () => run().catch((error: unknown) => say(`     ⚠ not done: ${describeError(error)}`)),
  };
}

async function confirm(name: string, given: string | undefined, { ask }: World): Promise<void> {
  const typed = given ?? (await ask?.("This cannot be undone. Type the name to go on: "));
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
  await deployment.remember({ workers: {}, releases: [], paid: true });
  return `The database ${name} and the bucket ${name}-files are kept. npm run deploy -- --name ${name} brings it back; npm run destroy -- --name ${name} --data deletes them, too.`;
}
