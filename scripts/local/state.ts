/** The state folder of this machine's installation: the owner's alone, in use by one process, with the key to its API. */
import { randomBytes } from "node:crypto";
import {
  access,
  chmod,
  constants,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/ids.ts";
import type { Caretaker } from "./caretaker.ts";
import { migrate } from "./migrate.ts";

const OTHERS = 0o077;
const TEMPORARY = "tmp";
/** A version before kept each Worker's secrets and a second state in there; nobody reads them any more. */
const LEFT_BEHIND = ["workers", "runner"];
/** By these a folder is known as a state of Errand's. */
const MARKS = ["local.json", "start.pid", "v3", "deploy"];

/** Makes the folder, or takes what others may do there away from them. Throws in words when it cannot be used. */
export async function openState(state: string): Promise<void> {
  // Whatever is written from now on, by workerd too, is the owner's alone.
  process.umask(OTHERS);
  try {
    await makeFolder(state);
    const names = await readdir(state);
    if (names.length > 0 && !names.some((name) => MARKS.includes(name)))
      throw new Error("it holds something else than Errand's state");
    await chmod(state, 0o700);
    await access(state, constants.W_OK);
  } catch (error) {
    throw new Error(
      `${state} cannot be used (${describeError(error)}). Use another folder: npm start -- --state elsewhere`,
      { cause: error },
    );
  }
}

/** With the folders above it. Node's own way never ends below /proc, where a folder is not there and cannot be made. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder);
  }
}

/** Removes what a run that was killed, or a version before, has left there. @returns where the runtime may keep what it needs. */
export async function clearState(state: string): Promise<string> {
  const remove = (name: string) => rm(join(state, name), { recursive: true, force: true });
  await Promise.all([TEMPORARY, ...LEFT_BEHIND].map(remove));
  const temporary = join(state, TEMPORARY);
  await mkdir(temporary);
  return temporary;
}

/** Takes away what others may do with files that were there already. The runtime may go on meanwhile. */
export async function closeToOthers(state: string): Promise<void> {
  for (const entry of await readdir(state, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    // It may be gone: the runtime makes files and removes them.
    const { mode = 0 } = (await stat(path).catch(() => null)) ?? {};
    if ((mode & OTHERS) !== 0) await chmod(path, mode & ~OTHERS).catch(() => undefined);
  }
}

export interface LocalKey {
  apiKey: string;
  /** Nobody has seen it yet. */
  isNew: boolean;
}

/** The API key of this machine: the same for as long as its state is kept. */
export async function localKey(state: string): Promise<LocalKey> {
  const known = await knownKey(state);
  return known === null
    ? { apiKey: `errand_default_${randomBytes(24).toString("base64url")}`, isNew: true }
    : { apiKey: known, isNew: false };
}

/** Migrates the database, lets the key in, and lets go of whatever a dead process had claimed. */
export async function prepareDatabase(caretaker: Caretaker, apiKey: string): Promise<void> {
  await migrate(caretaker);
  const hash = await sha256Hex(apiKey);
  await caretaker.addFirstKey({ hash, tenantId: "default", label: "this machine", now: Date.now() });
  await caretaker.expireClaims(Date.now());
}

/** Tells the commands of a person's where Errand runs, and with which key. */
export async function tellCommands(state: string, facts: { url: string; apiKey: string }): Promise<void> {
  const file = join(state, "local.json");
  await writeFile(`${file}.new`, `${JSON.stringify(facts, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

async function knownKey(state: string): Promise<string | null> {
  const local = parseJson(await readFile(join(state, "local.json"), "utf8").catch(() => ""));
  if (typeof local !== "object" || local === null || !("apiKey" in local)) return null;
  return typeof local.apiKey === "string" ? local.apiKey : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
