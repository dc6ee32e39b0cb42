/** `npm run deploy`, as a person meets it: the plan, a question, the steps, and what to do next. */
import { parseArgs } from "node:util";
import packageJson from "../../../package.json" with { type: "json" };
import { readDatabase } from "../database.ts";
import { askMissing } from "../questions.ts";
import type { Deployment } from "../deployment.ts";
import { PATIENT_TRIES } from "../../installation/health.ts";
import { dryRun } from "../dry-run.ts";
import { explainFailure } from "../failures.ts";
import { install, type InstallOptions, listAdvice, type Plan, planInstall } from "../install.ts";
import { conceal, open, prepare } from "../open.ts";
import { Runner } from "../step.ts";
import { checkName, DEFAULT_NAME } from "../target.ts";
import type { World } from "../world.ts";

export const USAGE = `Usage: npm run deploy -- [--name errand] [--location weur] [--domain bot.example.com] [--plan | --dry-run] [--yes]
  --name       which installation: its Workers, database, bucket and queues begin with it
  --location   where its data lies: weur, eeur, wnam, enam, apac or oc; settled the first time
  --domain     a host of a zone on your account, instead of workers.dev; "" goes back
  --vars       the file with the settings; without it .prod.vars, or else .dev.vars
  --plan       says what would be changed, and changes nothing
  --dry-run    checks the settings and the Workers, without a token and without network
  --yes        asks nothing
  --overwrite  deploys over what was edited on the dashboard
  --new-key    makes another API key, for when the last one is lost`;

export async function deploy(args: readonly string[], world: World): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      name: { type: "string", default: DEFAULT_NAME },
      location: { type: "string" },
      domain: { type: "string" },
      vars: { type: "string" },
      plan: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      yes: { type: "boolean", default: false },
      overwrite: { type: "boolean", default: false },
      "new-key": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return world.say(USAGE);
  checkName(values.name);
  const isInteractive = world.ask !== null && !values.yes && !values.plan;
  const prepared = await prepare(values, world, { online: !values["dry-run"] });
  if (values["dry-run"]) return dryRun(values, prepared, world);
  const asked = isInteractive ? await askMissing(values, prepared, world) : { named: values, prepared };
  const deployment = await open(asked.named, asked.prepared, world);
  const explain = (error: unknown) =>
    conceal(explainFailure(error, deployment.accountId), deployment.settings);
  const options: InstallOptions = {
    sources: await world.readSources(),
    label: `errand ${packageJson.version}`,
    overwrite: values.overwrite,
    newKey: values["new-key"],
  };
  const plan = await planInstall(deployment, await readDatabase(deployment), options);
  world.say(describePlan(deployment, plan));
  if (values.plan) return;
  if (!values.yes) {
    if (world.ask === null) throw new Error("Nothing was done: nobody is here to say yes. Add --yes.");
    const answer = await world.ask("Go on? [Y/n] ");
    if (/^n/i.test(answer)) return world.say("Nothing was done.");
  }
  const keyBefore = deployment.record.apiKey;
  await install(deployment, plan, options, new Runner(world.say, explain));
  const isChanged = plan.runner.length + plan.callers.length > 0;
  const health = await world.askHealth(plan.url, isChanged ? PATIENT_TRIES : 1);
  world.say(report(deployment, plan, keyBefore));
  if (health.kind === "unreachable")
    world.say(
      `⚠ It cannot be reached from here yet (${health.reason}). A new address takes some minutes; then: curl ${plan.url}/health`,
    );
  if (health.kind === "wrong")
    throw new Error(`Everything is deployed, but ${plan.url}/health answers ${health.reason}.`);
}

function describePlan(
  { target, accountId, record }: Deployment,
  { url, ground, runner, callers, webhooks }: Plan,
): string {
  const changes = [...ground, ...runner, ...callers];
  const lines = [...changes, ...webhooks].map(({ what }) => `  ${what}`);
  const unchanged = changes.length === 0 ? ["  everything else is as it should be"] : [];
  const plan = record.paid ? "" : ", without a runner (Workers Free)";
  return [`${target.name} at ${url}, on the account ${accountId}${plan}:`, ...lines, ...unchanged].join("\n");
}

function report(
  { record, settings, folder, target }: Deployment,
  { url }: Plan,
  keyBefore: string | null,
): string {
  const file = `${folder}/${target.name}.json`;
  const isNew = record.apiKey !== null && record.apiKey !== keyBefore;
  const key = isNew
    ? `${record.apiKey}   (also in ${file}; it is not shown again)`
    : record.apiKey === null
      ? "not known here: npm run deploy -- --new-key makes another"
      : `in ${file}`;
  const shown = isNew ? record.apiKey : `$(node -p "JSON.parse(fs.readFileSync('${file}')).apiKey")`;
  const advice = listAdvice(settings, record.paid).map((line) => `• ${line}`);
  return [
    "",
    `Errand is at ${url}`,
    `API key: ${key}`,
    "",
    "Try it:",
    `  curl -s ${url}/v1/tasks -H "Authorization: Bearer ${shown}" -d '${JSON.stringify({ prompt: "/help" })}'`,
    `  npm run keys -- --name ${target.name} list      and so people, pair, dead-letters`,
    ...(advice.length > 0 ? ["", ...advice] : []),
  ].join("\n");
}
