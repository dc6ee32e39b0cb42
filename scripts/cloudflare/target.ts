/** Which installation a command speaks of: its name is its identity, and the prefix of everything that it owns on the account. */

/** Where D1 and R2 may be told to lie, with the region beside which the Worker that asks them runs. https://developers.cloudflare.com/d1/configuration/data-location/ */
export const LOCATIONS = {
  weur: { words: "Western Europe", region: "aws:eu-central-1" },
  eeur: { words: "Eastern Europe", region: "aws:eu-central-1" },
  wnam: { words: "Western North America", region: "aws:us-west-2" },
  enam: { words: "Eastern North America", region: "aws:us-east-1" },
  apac: { words: "Asia and the Pacific", region: "aws:ap-southeast-1" },
  oc: { words: "Oceania", region: "aws:ap-southeast-2" },
} as const;
export type Location = keyof typeof LOCATIONS;

export const DEFAULT_NAME = "errand";

/** Of the name, every resource has its own: a bucket's may have 63 characters, and `-dead-letters` is the longest end. */
const NAME = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,39}$/;
const DOMAIN = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/** Throws unless it can stand at the beginning of a Worker's, a queue's and a bucket's name. */
export function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw new Error(
    `--name must be at most 40 of a-z, 0-9 and single hyphens, beginning with a letter, such as errand-test; not "${name}".`,
  );
}

/** Throws unless Cloudflare has data there. */
export function checkLocation(location: string): Location {
  if (isLocation(location)) return location;
  const known = Object.entries(LOCATIONS).map(([name, { words }]) => `${name} (${words})`);
  throw new Error(`--location must be one of ${known.join(", ")}; not "${location}".`);
}

export function isLocation(text: string): text is Location {
  return Object.hasOwn(LOCATIONS, text);
}

/** Throws unless it is a host's name alone: no scheme, no path, no port. */
export function checkDomain(domain: string): string {
  if (DOMAIN.test(domain)) return domain;
  throw new Error(
    `--domain must be a host of a zone on your account, such as bot.example.com; not "${domain}".`,
  );
}

/** The tracked configurations name everything `errand` or `errand-…`: the same of this installation. */
export function renameFor(name: string, tracked: string): string {
  return tracked === DEFAULT_NAME || tracked.startsWith(`${DEFAULT_NAME}-`)
    ? `${name}${tracked.slice(DEFAULT_NAME.length)}`
    : tracked;
}
