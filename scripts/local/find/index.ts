/** What this machine finds out by itself of the settings that nobody gave: one line for each who can. */
import type { Settings } from "../settings.ts";
import { findModel } from "./anthropic.ts";
import { findBot } from "./telegram.ts";

const FINDERS: readonly ((settings: Settings) => Promise<Settings>)[] = [findModel, findBot];

/** The settings, with what was found. What was given holds. */
export async function findSettings(settings: Settings): Promise<Settings> {
  const found = await Promise.all(FINDERS.map((find) => find(settings)));
  return Object.assign({}, ...found, settings);
}
