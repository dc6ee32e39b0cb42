/** `--dry-run`: everything that can be checked without a token and without network. */
import { access } from "node:fs/promises";
import { CloudflareApi } from "./cloudflare-api.ts";
import { Deployment } from "./deployment.ts";
import { writeWorker } from "./generated.ts";
import { planInstall } from "./install.ts";
import { DEPLOY_ORDER, NOTHING } from "./live.ts";
import { chooseDomain, chooseLocation, type Named, type Prepared } from "./open.ts";
import { generatedFolder, generatePart } from "./change.ts";
import type { World } from "./world.ts";

/** An account on which there is nothing but the subdomain that every account may have. */
const SOMEWHERE = { ...NOTHING, subdomain: "<your-subdomain>" };
const NO_ACCOUNT = "0".repeat(32);

/** Bundles the Workers, makes their configurations, has wrangler check each, and says what a first deploy would do. Throws what is wrong. */
export async function dryRun(
  named: Named,
  { record, settings, file }: Prepared,
  world: World,
): Promise<void> {
  const target = {
    name: named.name,
    location: chooseLocation(named, record),
    domain: chooseDomain(named, record, NOTHING),
  };
  const wrangler = world.makeWrangler({ id: "", token: null });
  const api = new CloudflareApi({ baseUrl: "http://nowhere.invalid", token: "" });
  const deployment = new Deployment({
    target,
    accountId: record.account ?? NO_ACCOUNT,
    folder: world.folder,
    settings,
    api,
    wrangler,
    live: SOMEWHERE,
    source: { file, given: [] },
    record: { ...record, workers: {} },
  });
  const options = {
    sources: await world.readSources(),
    label: "dry run",
    overwrite: false,
    newKey: false,
    remove: [],
    online: false,
  };
  const plan = await planInstall(deployment, { applied: [], hasKeys: false }, options);
  world.say(await describeFile(file));
  world.say(`On an account where there is nothing of ${target.name} yet, a deploy would be:`);
  for (const { what } of [...plan.ground, ...plan.runner, ...plan.hands, ...plan.callers, ...plan.webhooks])
    world.say(`  ${what}`);
  for (const part of DEPLOY_ORDER) {
    if (part === "hands" && !deployment.hasHands) continue;
    const { config } = await writeWorker(
      generatedFolder(deployment),
      part,
      generatePart(deployment, options.sources, part),
    );
    await wrangler.run(["deploy", "--dry-run", "-c", config]);
    world.say(`${target.name}-${part}: wrangler finds nothing wrong with ${config}`);
  }
  world.say("Nothing was sent anywhere.");
}

async function describeFile(file: string): Promise<string> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  return isThere
    ? `The settings in ${file} can be used.`
    : "There is no settings' file: everything is left at its default.";
}
