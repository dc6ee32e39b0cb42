/** Configuration: `.dev.vars` (or, for a deployment, `.prod.vars`) at the root, overridden by environment variables. */
import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { CHANNELS, parsePlace } from "../../shared/channels/index.ts";
import { describeError } from "../../shared/errors.ts";
import { readEgress } from "../../shared/policy/egress.ts";
import { OWN_TOGETHER, OWN_VARIABLES, type Receiver, type Variable } from "../../shared/variables.ts";
import { GATEWAY_TOGETHER } from "../../workers/planner/models/gateway.ts";
import { MODEL_VARIABLES } from "../../workers/planner/models/index.ts";

/** They are for whoever deploys: no Worker sees them. */
const CLOUDFLARE_VARIABLES = [
  {
    name: "CLOUDFLARE_API_TOKEN",
    workers: [],
    secret: true,
    about: ["Empty: the login of `npx wrangler login`."],
  },
  {
    name: "CLOUDFLARE_ACCOUNT_ID",
    workers: [],
    secret: false,
    about: ["Needed when the token sees several accounts."],
    shape: { pattern: /^[0-9a-f]{32}$/, words: "32 of 0-9 and a-f" },
  },
] as const satisfies readonly Variable[];

/** What an installation is configured by, under the headings of `.dev.vars.example`. */
export const VARIABLE_GROUPS: readonly { title: string; variables: readonly Variable[] }[] = [
  ...CHANNELS.map(({ title, variables }) => ({ title, variables })),
  { title: "The model", variables: MODEL_VARIABLES },
  { title: "Errand itself", variables: OWN_VARIABLES },
  { title: "Deploying to Cloudflare (docs/deploy.md)", variables: CLOUDFLARE_VARIABLES },
];
export const VARIABLES = VARIABLE_GROUPS.flatMap(({ variables }) => variables);

/** Variables by their names; none is empty. */
export type Settings = Readonly<Record<string, string>>;

/** Reads the file and the environment. Throws with every fault that would otherwise show later, and elsewhere. */
export async function readSettings(file: string): Promise<Settings> {
  const text = await readOptional(file);
  const fromFile = parseEnv(text);
  for (const complaint of listComplaints(text, Object.keys(fromFile))) console.error(`${file}: ${complaint}`);
  const all = VARIABLES.map(({ name }) => [name, process.env[name] ?? fromFile[name]] as const);
  const settings: Settings = Object.fromEntries(
    all.flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
  const faults = VARIABLES.flatMap(({ name, shape }) => {
    const value = settings[name];
    return shape === undefined || value === undefined || shape.pattern.test(value)
      ? []
      : [`${name} must be ${shape.words}.`];
  });
  for (const [one, other] of [...GATEWAY_TOGETHER, ...OWN_TOGETHER]) {
    if ((settings[one] === undefined) !== (settings[other] === undefined))
      faults.push(`${one} and ${other} go together: set both, or neither.`);
  }
  const chat = settings["ERRAND_ALERT_CHAT"];
  if (chat !== undefined && parsePlace(chat) === null)
    faults.push(
      `ERRAND_ALERT_CHAT names no chat of ${CHANNELS.map(({ name }) => name).join(", ")}: ${CHANNELS.map(({ name }) => `${name}:<id>`).join(", ")}.`,
    );
  try {
    readEgress(settings["ERRAND_EGRESS"]);
  } catch (error) {
    faults.push(`${describeError(error)}.`);
  }
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return settings;
}

async function readOptional(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

/** What would otherwise be ignored in silence: a misspelt name, a line that says nothing. */
function listComplaints(text: string, names: readonly string[]): string[] {
  const known = VARIABLES.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  const mute = text
    .split("\n")
    .flatMap((line, index) => (/^\s*($|#|export\s|[\w.-]+\s*=)/.test(line) ? [] : [index + 1]));
  return [
    ...unknown.map((name) => `${name} is not a variable of Errand. They are: ${known.join(", ")}.`),
    ...mute.map((line) => `line ${line} is not NAME=value, so it is ignored.`),
  ];
}

/** The settings of one Worker: its variables and secrets. */
export function selectVars(worker: Receiver, settings: Settings): Record<string, string> {
  const needed = VARIABLES.filter(({ workers }) => workers.includes(worker)).map(({ name }) => name);
  return Object.fromEntries(Object.entries(settings).filter(([name]) => needed.includes(name)));
}
