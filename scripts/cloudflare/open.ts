/** Opens an installation for a command: what this machine remembers of it, its settings, how Cloudflare is reached, and what there is. */
import { redact } from "../../shared/log.ts";
import type { Settings } from "../installation/settings.ts";
import { VARIABLES } from "../installation/settings.ts";
import { apiBaseUrl, findAccess } from "./access.ts";
import { chooseFile, isLoopback, readDeploySettings } from "./deploy-settings.ts";
import { Deployment } from "./deployment.ts";
import { explainFailure } from "./failures.ts";
import { type Live, readLive } from "./live.ts";
import { type InstallationRecord, readRecord } from "./record.ts";
import { checkDomain, checkLocation, isLocation, type Location } from "./target.ts";
import type { World } from "./world.ts";

export interface Named {
  readonly name: string;
  readonly location?: string | undefined;
  /** Empty: no domain any more. */
  readonly domain?: string | undefined;
  readonly vars?: string | undefined;
  /** Settings that are to go. */
  readonly removed?: readonly string[];
}

/** What is known without Cloudflare. */
export interface Prepared {
  readonly record: InstallationRecord;
  readonly settings: Settings;
  /** The names of those that were given. */
  readonly given: readonly string[];
  readonly file: string;
}

export async function prepare(
  named: Named,
  world: World,
  { online, lenient = false }: { online: boolean; lenient?: boolean },
): Promise<Prepared> {
  const record = await readRecord(world.folder, named.name);
  const file = await chooseFile(named.vars, record, lenient);
  const { made: before } = record;
  const removed = named.removed ?? [];
  const answers = Object.fromEntries(
    Object.entries(record.answers).filter(([name]) => !removed.includes(name)),
  );
  const rehearsal = isLoopback(apiBaseUrl());
  const source = { file, answers, made: before, rehearsal, online, lenient };
  const { settings, made, given } = await readDeploySettings(source);
  return {
    record: { ...record, answers, vars: named.vars ?? record.vars, made: { ...before, ...made } },
    settings,
    given,
    file,
  };
}

/** Reads what there is on the account. Throws in words, with what mends it. */
export async function open(
  named: Named,
  { record, settings, given, file }: Prepared,
  world: World,
): Promise<Deployment> {
  const { name } = named;
  let accountId = settings["CLOUDFLARE_ACCOUNT_ID"] ?? record.account ?? "";
  try {
    const access = await findAccess(settings, record, world.makeWrangler);
    accountId = access.accountId;
    const live = await readLive(access.api, accountId, name);
    const location = settleLocation(named, record, live);
    const domain = chooseDomain(named, record, live);
    const { folder } = world;
    return new Deployment({
      ...access,
      target: { name, location, domain },
      folder,
      settings,
      live,
      source: { file, given },
      record,
    });
  } catch (error) {
    throw new Error(conceal(explainFailure(error, accountId), settings), { cause: error });
  }
}

/** Given, or the same as the last time. */
export function chooseLocation({ location }: Named, record: InstallationRecord): Location | null {
  if (location !== undefined) return checkLocation(location);
  return record.location !== null && isLocation(record.location) ? record.location : null;
}

/** Where the data of an installation lies that is there is where it stays. */
function settleLocation(named: Named, record: InstallationRecord, live: Live): Location | null {
  const chosen = chooseLocation(named, record);
  const actual = live.database?.location ?? null;
  // A hint is no promise: whoever repeats it may say what they said the first time.
  if (named.location !== undefined && actual !== null && chosen !== actual && chosen !== record.location)
    throw new Error(
      `The database of ${named.name} lies in ${actual} and cannot be moved. Leave --location out, or make another installation: --name other --location ${named.location}`,
    );
  // Who remembers the installation remembers that no location was given, too.
  return chosen ?? (record.account === null ? actual : null);
}

export function chooseDomain({ domain }: Named, record: InstallationRecord, live: Live): string | null {
  if (domain !== undefined) return domain === "" ? null : checkDomain(domain);
  return record.account === null ? (live.domains[0]?.hostname ?? null) : record.domain;
}

/** What failed, in words for people: with what mends it, and without any secret. */
export function makeExplain({ accountId, settings }: Deployment): (error: unknown) => string {
  return (error) => conceal(explainFailure(error, accountId), settings);
}

/** Words without any secret of the settings in them. Shorter ones than these are words themselves. */
function conceal(words: string, settings: Settings): string {
  const secrets = VARIABLES.flatMap(({ name, secret }) => (secret ? (settings[name] ?? []) : []));
  const long = secrets.filter((value) => value.length >= 6);
  return long.reduce((clean, value) => clean.replaceAll(value, "[redacted]"), redact(words));
}
