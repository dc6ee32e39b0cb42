/** `npm run deploy`, as a person meets it: the plan, a question, the steps, and what to do next. */
import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { parseArgs, promisify } from "node:util";
import packageJson from "../../../package.json" with { type: "json" };
import { readDatabase } from "../database.ts";
import { askMissing } from "../questions.ts";
import type { Deployment } from "../deployment.ts";
import { PATIENT_TRIES } from "../../installation/health.ts";
import { dryRun } from "../dry-run.ts";
import { install, type InstallOptions, type Plan, planInstall } from "../install.ts";
import { whileLocked } from "../lock.ts";
import { makeExplain, type Named, open, prepare } from "../open.ts";
import { countSteps, describeOutcome, describePlan } from "../report.ts";
import { Runner } from "../step.ts";
import { checkName, DEFAULT_NAME } from "../target.ts";
import { isAgreed, type World } from "../world.ts";

export const USAGE = `Usage: npm run deploy -- [--name errand] [--location weur] [--domain bot.example.com] [--plan | --dry-run] [--yes]
  --name       which installation: its Workers, database, bucket and queues begin with it
  --location   where its data lies: weur, eeur, wnam, enam, apac or oc; settled the first time
  --domain     a host of a zone on your account, instead of workers.dev; "" goes back
  --vars       the file with the settings, remembered; without it .prod.vars, or else .dev.vars
  --remove     settings that are to go, separated by commas: one that is missing is not taken away otherwise
  --plan       says what would be changed, and changes nothing
  --dry-run    checks the settings and the Workers, without a token and without network, in some seconds
  --yes        asks nothing
  --overwrite  deploys over what was edited on the dashboard
  --new-key    makes another API key, for when the last one is lost; revoke that one: npm run keys`;

export async function deploy(args: readonly string[], world: World): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      name: { type: "string", default: DEFAULT_NAME },
      location: { type: "string" },
      domain: { type: "string" },
      vars: { type: "string" },
      remove: { type: "string", default: "" },
      plan: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      yes: { type: "boolean", default: false },
      overwrite: { type: "boolean", default: false },
      "new-key": { type: "boolean", default: false },
    },
  });
  checkName(values.name);
  if (values["dry-run"]) return dryRun(values, await prepare(values, world, { online: false }), world);
  const remove = values.remove.split(",").flatMap((name) => name.trim() || []);
  const named = { ...values, removed: remove };
  const options = {
    sources: await world.readSources(),
    label: await describeVersion(),
    overwrite: values.overwrite,
    newKey: values["new-key"],
    remove,
    online: true,
  };
  if (values.plan) {
    const { deployment, plan } = await look(named, options, world, { mayAsk: false });
    return world.say(describePlan(deployment, plan));
  }
  await whileLocked(world.folder, values.name, async () => {
    const { deployment, plan } = await look(named, options, world, { mayAsk: !values.yes });
    world.say(describePlan(deployment, plan));
    const isNothing = countSteps(plan) === 0;
    if (!values.yes && !isNothing && !(await isAgreed(world))) return world.say("Nothing was done.");
    await carryOut(deployment, plan, options, world);
  });
}

async function look(
  named: Named,
  options: InstallOptions,
  world: World,
  { mayAsk }: { mayAsk: boolean },
): Promise<{ deployment: Deployment; plan: Plan }> {
  const prepared = await prepare(named, world, { online: true });
  warnOfMode(prepared.file, world);
  const found = await open(named, prepared, world);
  const asked = mayAsk ? await askMissing(named, prepared, found, world) : null;
  const deployment = asked === null ? found : await open(asked.named, asked.prepared, world);
  return { deployment, plan: await planInstall(deployment, await readDatabase(deployment), options) };
}

async function carryOut(
  deployment: Deployment,
  plan: Plan,
  options: InstallOptions,
  world: World,
): Promise<void> {
  const { record } = deployment;
  await install(deployment, plan, options, new Runner(world.say, makeExplain(deployment)));
  const isChanged = plan.runner.length + plan.hands.length + plan.callers.length > 0;
  if (isChanged) world.say(`Waits until ${plan.url} answers …`);
  const health = await world.askHealth(plan.url, isChanged ? PATIENT_TRIES : 1);
  world.say(describeOutcome(deployment, plan, record.apiKey));
  if (health.kind === "unreachable")
    world.say(
      record.url === plan.url && record.releases.length > 0
        ? `⚠ It cannot be reached from here (${health.reason}). Is this machine online? Then: curl ${plan.url}/health`
        : `⚠ It cannot be reached from here yet (${health.reason}). A new address takes some minutes; then curl ${plan.url}/health says {"status":"ok"}`,
    );
  if (health.kind === "wrong")
    throw new Error(`Everything is deployed, but ${plan.url}/health answers ${health.reason}.`);
}

/** Whose file it is alone should be the only one who reads it. */
function warnOfMode(file: string, { say }: World): void {
  const { mode } = statSync(file, { throwIfNoEntry: false }) ?? { mode: 0 };
  if ((mode & 0o077) !== 0) say(`⚠ Others on this machine can read ${file}: chmod 600 ${file}`);
}

/** With the commit, where there is one: releases are told apart by it. */
async function describeVersion(): Promise<string> {
  const commit = await promisify(execFile)("git", ["rev-parse", "--short", "HEAD"]).then(
    ({ stdout }) => ` (${stdout.trim()})`,
    () => "",
  );
  return `errand ${packageJson.version}${commit}`;
}
