/** What a person is asked on the terminal, once: where the data is to lie, and what is missing in the settings. */
import type { Deployment } from "./deployment.ts";
import { describeError } from "../../shared/errors.ts";
import { CHANNELS } from "../../shared/channels/index.ts";
import { PROTOCOLS } from "../../workers/planner/models/index.ts";
import { VARIABLES } from "../installation/settings.ts";
import { type Named, prepare, type Prepared } from "./open.ts";
import { writeRecord } from "./record.ts";
import { checkLocation, type Location, LOCATIONS } from "./target.ts";
import type { World } from "./world.ts";

const TRIES_MAX = 3;

/** Asks, and keeps the answers with what this machine remembers of the installation; null when there was nothing to ask. An empty answer leaves a setting out. */
export async function askMissing(
  named: Named,
  { record, settings }: Prepared,
  { live, target }: Deployment,
  world: World,
): Promise<{ named: Named; prepared: Prepared } | null> {
  const { ask, say } = world;
  // Who has deployed it before has answered.
  if (ask === null || record.account !== null) return null;
  const location =
    live.database === null ? (target.location ?? (await askLocation(ask, say))) : target.location;
  const missing = listMissing(settings);
  if (missing.length > 0)
    say(
      `These are not in the settings' file; what you answer is kept in ${world.folder}/${named.name}.json, and the file goes before it.`,
    );
  const answers = { ...record.answers };
  for (const name of missing) {
    const answer = await askSetting(name, ask, say);
    if (answer !== "") answers[name] = answer;
  }
  await writeRecord(world.folder, { ...record, answers, location });
  const chosen = { ...named, ...(location !== null && live.database === null && { location }) };
  return { named: chosen, prepared: await prepare(named, world, { online: true }) };
}

type Ask = NonNullable<World["ask"]>;

async function askSetting(name: string, ask: Ask, say: World["say"]): Promise<string> {
  const { about, secret, shape } = VARIABLES.find((variable) => variable.name === name) ?? { about: [] };
  const unseen = secret === true ? " (it is not shown while you type)" : "";
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const answer = await ask(`${name}${unseen}: ${about.join(" ")} Empty: none.\n> `, {
      hidden: secret === true,
    });
    if (answer === "" || shape === undefined || shape.pattern.test(answer)) return answer;
    say(`${name} must be ${shape.words}.`);
  }
  return "";
}

/** What a channel or a model needs first, where none of them is configured. */
function listMissing(settings: Readonly<Record<string, string>>): string[] {
  const hasModel = PROTOCOLS.some((protocol) => protocol.describe(settings) !== null);
  const models = hasModel ? [] : PROTOCOLS.flatMap(({ either }) => either.slice(0, 1));
  const chats = CHANNELS.flatMap(({ variables, required }) =>
    variables.filter(({ name, made }) => required.includes(name) && made !== true).map(({ name }) => name),
  );
  return [...chats, ...models].filter((name) => settings[name] === undefined);
}

async function askLocation(ask: Ask, say: World["say"]): Promise<Location> {
  const suggested = suggestLocation(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const choices = Object.entries(LOCATIONS).map(([name, { words }]) => `${name} (${words})`);
  say(`Where shall its data lie? ${choices.join(", ")}. It cannot be moved later.`);
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const answer = await ask(`Location [${suggested}]: `);
    try {
      return checkLocation(answer || suggested);
    } catch (error) {
      say(describeError(error));
    }
  }
  return suggested;
}

/** Near whoever deploys. */
function suggestLocation(timeZone: string): Location {
  if (/^(?:America|US|Canada)\b/.test(timeZone))
    return /Los_Angeles|Vancouver|Denver|Pacific|Phoenix|Tijuana/.test(timeZone) ? "wnam" : "enam";
  if (/^Asia\b/.test(timeZone)) return "apac";
  return /^(?:Australia|Pacific)\b/.test(timeZone) ? "oc" : "weur";
}
