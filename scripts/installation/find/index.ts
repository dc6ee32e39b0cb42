/** What is found out of the settings that nobody gave: one line for each who can. */
import type { Settings } from "../settings.ts";
import { findModel } from "./anthropic.ts";
import { findBot } from "./telegram.ts";

type Find = (settings: Settings, complain: (words: string) => void) => Promise<Settings>;
/** Only this machine can reach what these find. */
const HERE: readonly Find[] = [(settings) => findModel(settings)];
const ANYWHERE: readonly Find[] = [findBot];

/** The settings of this machine, with what was found. What was given holds. */
export async function findSettings(settings: Settings): Promise<Settings> {
  return find([...HERE, ...ANYWHERE], settings, (words) => console.error(words));
}

/** The same of an installation elsewhere. Throws with what could not be found out. */
export async function findSettingsElsewhere(settings: Settings): Promise<Settings> {
  return find(ANYWHERE, settings, (words) => {
    throw new Error(words);
  });
}

async function find(
  finders: readonly Find[],
  settings: Settings,
  complain: (words: string) => void,
): Promise<Settings> {
  const found = await Promise.all(finders.map((one) => one(settings, complain)));
  return Object.assign({}, ...found, settings);
}
