/**
 * What this machine remembers of an installation, in `.errand/deploy/<name>.json`: it holds the API key and is its owner's alone. What is on the account can be
 * found again by the name; what was answered, made and released here cannot.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";

const RELEASES_KEPT_MAX = 10;

/** A Worker whose deploy has come to its end, with its triggers. */
const DeployedWorker = z.object({
  versionId: z.string(),
  /** The hash of its code and configuration. */
  tag: z.string(),
  /** SHA-256 of each secret, by its name. */
  secrets: z.record(z.string(), z.string()),
});

const Release = z.object({
  at: z.string(),
  label: z.string(),
  /** By Worker. */
  versions: z.record(z.string(), z.string()),
  /** Secrets that were made then: the platforms know them. */
  made: z.optional(z.record(z.string(), z.string())),
  /** It was gone back from. */
  left: z.optional(z.boolean()),
});
export type Release = z.infer<typeof Release>;

const InstallationRecord = z.object({
  name: z.string(),
  account: z.nullable(z.string()),
  location: z.nullable(z.string()),
  domain: z.nullable(z.string()),
  url: z.nullable(z.string()),
  apiKey: z.nullable(z.string()),
  /** The database knows it. From then on it may be revoked, and is not let in again. */
  keyStored: z.boolean(),
  /** Workers Paid: with isolates, and with limits on CPU time. */
  paid: z.boolean(),
  /** Why the account has refused containers, where they were chosen: they are tried again each time. */
  handsRefused: z.nullable(z.string()),
  /** The file that its settings came from. */
  vars: z.nullable(z.string()),
  /** The names of the settings that were given: one that is missing later is not taken away in silence. */
  given: z.array(z.string()),
  /** What each channel's platform was told, hashed. */
  webhooks: z.record(z.string(), z.string()),
  /** Secrets that nobody gave, made here. */
  made: z.record(z.string(), z.string()),
  /** Settings that were answered on the terminal. */
  answers: z.record(z.string(), z.string()),
  workers: z.record(z.string(), DeployedWorker),
  /** Newest first. */
  releases: z.array(Release),
  /** The `at` of the one that is live. */
  live: z.nullable(z.string()),
  /** Where D1 was before the last migration. */
  bookmark: z.nullable(z.string()),
});
export type InstallationRecord = z.infer<typeof InstallationRecord>;

/** Whatever a file of an earlier version does not say. */
const begin = (name: string): InstallationRecord => ({
  name,
  account: null,
  location: null,
  domain: null,
  url: null,
  apiKey: null,
  keyStored: false,
  paid: true,
  handsRefused: null,
  vars: null,
  given: [],
  webhooks: {},
  live: null,
  made: {},
  answers: {},
  workers: {},
  releases: [],
  bookmark: null,
});

const fileOf = (folder: string, name: string) => join(folder, `${name}.json`);

/** Opens it, or begins one. Throws in words when the file cannot be read. */
export async function readRecord(folder: string, name: string): Promise<InstallationRecord> {
  const file = fileOf(folder, name);
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null) return begin(name);
  try {
    return InstallationRecord.parse({ ...begin(name), ...JSON.parse(text) });
  } catch {
    throw new Error(
      `${file} cannot be read. It holds an API key: mend it, or move it away and deploy again.`,
    );
  }
}

/** Writes it whole, for its owner alone. */
export async function writeRecord(folder: string, record: InstallationRecord): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = fileOf(folder, record.name);
  await writeFile(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

export async function removeRecord(folder: string, name: string): Promise<void> {
  await rm(fileOf(folder, name), { force: true });
}

/** The names of all that this machine remembers. */
export async function listRecords(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
}

/** The release that is live, where it is known. */
export function findLiveRelease({ releases, live }: InstallationRecord): Release | undefined {
  return releases.find(({ at }) => at === live) ?? releases[0];
}

/** The record with this release as the live one. The same versions again are the same release. */
export function addRelease(record: InstallationRecord, release: Release): InstallationRecord {
  const isSame = ({ versions }: Release) =>
    Object.keys({ ...versions, ...release.versions }).every((key) => versions[key] === release.versions[key]);
  const live = findLiveRelease(record);
  if (live !== undefined && isSame(live)) return { ...record, live: live.at };
  const releases = [release, ...record.releases].slice(0, RELEASES_KEPT_MAX);
  return { ...record, releases, live: release.at };
}
