/** Nothing is taken from an installation in silence. */
import { CHANNELS } from "../../shared/channels/index.ts";
import { VARIABLES } from "../installation/settings.ts";
import { listForgotten } from "./deploy-settings.ts";
import type { Deployment } from "./deployment.ts";

/** A bot's own facts follow its token. */
const FOUND = new Set(CHANNELS.flatMap(({ bot }) => (bot === undefined ? [] : [bot.id, bot.username])));

/** A lost file, another machine or a misspelt name must not strip an installation that runs. */
export function refuseForgotten(
  { record, live, settings, target, source }: Deployment,
  remove: readonly string[],
): void {
  const unknown = remove.filter((name) => !VARIABLES.some((variable) => variable.name === name));
  if (unknown.length > 0) throw new Error(`--remove: ${unknown.join(", ")} is no setting of Errand's.`);
  const still = remove.filter((name) => source.given.includes(name));
  if (still.length > 0)
    throw new Error(
      `--remove: ${still.join(", ")} is still in ${source.file} or the environment. Take it out there.`,
    );
  const bound = [...live.workers.values()].flatMap(({ bindings }) => bindings ?? []);
  const plain = bound.flatMap(({ name, type }) => (type === "plain_text" ? [name] : []));
  const secrets = [...live.workers.values()].flatMap((worker) => worker.secrets);
  const had = [...record.given, ...secrets, ...plain.filter((name) => !FOUND.has(name))];
  const forgotten = listForgotten(had, settings).filter((name) => !remove.includes(name));
  if (forgotten.length === 0) return;
  const names = forgotten.join(", ");
  throw new Error(
    `${target.name} has ${names}, and ${source.file} and the environment have not. Put them back, or take them away: npm run deploy -- --name ${target.name} --remove ${forgotten.join(",")}`,
  );
}
