/** What a person is asked on the terminal, once: where the data is to lie, and what is missing in the settings. */
import { CHANNELS } from "../../shared/channels/index.ts";
import { PROTOCOLS } from "../../workers/planner/models/index.ts";
import { VARIABLES } from "../installation/settings.ts";
import { chooseLocation, type Named, prepare, type Prepared } from "./open.ts";
import { writeRecord } from "./record.ts";
import { checkLocation, type Location, LOCATIONS } from "./target.ts";
import type { World } from "./world.ts";

const TRIES_MAX = 3;

/** Asks, and keeps the answers with what this machine remembers of the installation. An empty answer leaves a setting out. */
export async function askMissing(
  named: Named,
  prepared: Prepared,
  world: World,
): Promise<{ named: Named; prepared: Prepared }> {
  const { ask } = world;
  const { record, settings } = prepared;
  // Who has deployed it before has answered.
  if (ask === null || record.account !== null) return { named, prepared };
  const location = chooseLocation(named, record) ?? (await askLocation(ask, world.say));
  const answers = { ...record.answers };
  for (const name of listMissing(settings)) {
    const { about, secret, shape } = VARIABLES.find((variable) => variable.name === name) ?? { about: [] };
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const answer = await ask(`${name} (${about.join(" ")} Empty: none): `, { hidden: secret === true });
      const isGood = answer === "" || shape === undefined || shape.pattern.test(answer);
      if (isGood && answer !== "") answers[name] = answer;
      if (isGood) break;
      world.say(`${name} must be ${shape.words}.`);
    }
  }
  await writeRecord(world.folder, { ...prepared.record, answers });
  return { named: { ...named, location }, prepared: await prepare(named, world, { online: true }) };
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

async function askLocation(ask: NonNullable<World["ask"]>, say: World["say"]): Promise<Location> {
  const suggested = suggestLocation(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const choices = Object.entries(LOCATIONS).map(([name, { words }]) => `${name} (${words})`);
  say(`Where shall its data lie? ${choices.join(", ")}. It cannot be moved later.`);
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const answer = await ask(`Location [${suggested}]: `);
    try {
      return checkLocation(answer || suggested);
    } catch (error) {
      say(String(error));
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
