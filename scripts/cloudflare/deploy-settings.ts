/** The settings that an installation on Cloudflare is given: from a file and the environment, checked, and completed with what can be made. */
import { randomBytes } from "node:crypto";
import { access } from "node:fs/promises";
import { readTimings } from "../../shared/config.ts";
import { CHANNELS } from "../../shared/channels/index.ts";
import { OWN_VARIABLES, type Variable } from "../../shared/variables.ts";
import { findSettingsElsewhere } from "../installation/find/index.ts";
import { readSettings, type Settings, VARIABLES } from "../installation/settings.ts";
import type { PartSettings } from "./generated.ts";
import type { Part } from "./live.ts";

const LOOPBACK = /^https?:\/\/(?:localhost|127\.|0\.0\.0\.0|\[::1?\])/i;
/** https://www.rfc-editor.org/rfc/rfc1918, and names that only a network at home knows. */
const PRIVATE =
  /^https?:\/\/(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|\[f[cd]|[^/:]+\.(?:local|lan|internal)(?:[:/]|$)|[^./:]+(?:[:/]|$))/i;
export const isLoopback = (url: string) => LOOPBACK.test(url);
const isNear = (value: string) => LOOPBACK.test(value) || PRIVATE.test(value);

/** The file to read: the one that is named now, or was named before, else `.prod.vars` if there is one, else `.dev.vars`. */
export async function chooseFile(
  named: string | undefined,
  { vars: before, name }: { vars: string | null; name: string },
  lenient: boolean,
): Promise<string> {
  const file = named ?? before ?? ".prod.vars";
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere || (lenient && named === undefined)) return file;
  if (named !== undefined) throw new Error(`--vars: there is no ${named}.`);
  if (before !== null)
    throw new Error(
      `The settings of ${name} were in ${before}, which is gone. Put it back, or name another: --vars .other.vars`,
    );
  return ".dev.vars";
}

export interface SettingsSource {
  readonly file: string;
  /** What was answered on the terminal before: it holds where file and environment say nothing. */
  readonly answers: Settings;
  /** Secrets that were made before. */
  readonly made: Settings;
  /** Cloudflare itself is played by this machine, so others may be, too. */
  readonly rehearsal: boolean;
  /** Whether the platforms may be asked. */
  readonly online: boolean;
  /** It is to be taken back or away: what is wrong with settings must not stand in the way. */
  readonly lenient: boolean;
}

/** @returns the settings, those secrets among them that were made here, and the names of those that were given. Throws with every fault. */
export async function readDeploySettings(
  source: SettingsSource,
): Promise<{ settings: Settings; made: Settings; given: string[] }> {
  const given = { ...source.answers, ...(await readSettings(source.file)) };
  const faults = VARIABLES.filter(({ name, workers }) => workers.length > 0 && isNear(given[name] ?? "")).map(
    ({ name }) =>
      `${name} leads to this machine or its network, where Cloudflare cannot reach it: ${given[name]}`,
  );
  readTimings(given);
  if (faults.length > 0 && !source.rehearsal && !source.lenient)
    throw new Error(`${source.file}:\n${faults.join("\n")}`);
  const found = source.online ? await findSettingsElsewhere(given) : given;
  const made = makeSecrets(found, source.made);
  return { settings: { ...made, ...found }, made, given: Object.keys(given) };
}

const isMade = ({ made }: Variable) => made === true;

/** Nobody but we and a platform needs to know them. A channel that is not configured needs none. */
function makeSecrets(settings: Settings, before: Settings): Settings {
  const channels = CHANNELS.filter(({ variables, required }) => {
    const own = new Set(variables.filter(isMade).map(({ name }) => name));
    return required.every((name) => own.has(name) || settings[name] !== undefined);
  });
  const variables: readonly Variable[] = [...OWN_VARIABLES, ...channels.flatMap(({ variables: all }) => all)];
  const wanted = variables.filter((variable) => isMade(variable) && settings[variable.name] === undefined);
  return Object.fromEntries(
    wanted.map(({ name }) => [name, before[name] ?? randomBytes(24).toString("base64url")]),
  );
}

/** Those among the settings that only we and a platform need to know, whoever made them. */
export function selectMade(settings: Settings): Settings {
  const names = VARIABLES.flatMap(({ name, made }) => (made === true ? [name] : []));
  return Object.fromEntries(
    names.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]])),
  );
}

/** What one Worker gets, with what nobody may see apart. */
export function selectFor(part: Part, settings: Settings): PartSettings {
  const mine = VARIABLES.filter(({ workers }) => workers.some((worker) => worker === part));
  const select = (isSecret: boolean) =>
    Object.fromEntries(
      mine.flatMap(({ name, secret }) => {
        const value = settings[name];
        return secret === isSecret && value !== undefined ? [[name, value]] : [];
      }),
    );
  return { vars: select(false), secrets: select(true) };
}

/** Secrets of this Worker's that nobody gives any more. */
export function listStaleSecrets(part: Part, live: readonly string[], settings: Settings): string[] {
  const mine = VARIABLES.filter(({ workers }) => workers.some((worker) => worker === part)).map(
    ({ name }) => name,
  );
  return live.filter((name) => mine.includes(name) && settings[name] === undefined);
}

/** Settings that an installation had and nobody gives now. Made ones follow the others. */
export function listForgotten(had: readonly string[], settings: Settings): string[] {
  const ours = VARIABLES.filter(({ made, workers }) => made !== true && workers.length > 0).map(
    ({ name }) => name,
  );
  return ours.filter((name) => had.includes(name) && settings[name] === undefined);
}
