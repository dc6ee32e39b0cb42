/** The workspace in a container: laid out before a job, and what is other than it was taken out after it; both as tar. */
import { packTar, unpackTar } from "modern-tar";
import type { LaidFile } from "../../shared/contracts/code.ts";
import type { LeftFile, Taken } from "../../shared/contracts/job.ts";
import { LIMITS } from "../../shared/limits.ts";
import { describeTooMuch } from "../../shared/workspace-paths.ts";
import type { Hashes } from "./ledger.ts";
import LAY from "./inside/lay.sh";
import type { Machine } from "./machine.ts";

const HASH = ["sh", "-c", "cd /workspace && find . -type f -printf '%P\\0' | xargs -0 -r sha256sum -z --"];
const LIST = ["find", "/workspace", "-mindepth", "1", "!", "-type", "d", "-printf", "%y %s %P\\0"];
/** What one turns over before and after: what was laid there may stay, beside what is new. */
const BYTES_MAX = 2 * LIMITS.sandbox_bytes_max;
const FILES_MAX = 2 * LIMITS.workspace_files_max;
const NO_TEXT = "\uFFFD";

/** Makes it what is given. Throws when that fails. */
export async function layOut(machine: Machine, files: readonly LaidFile[]): Promise<Hashes> {
  const entries = files.map(({ path, content }) => ({
    header: { name: path, size: content.length, type: "file" as const },
    body: content,
  }));
  const { code, bytes } = await machine.exec(["sh", "-c", LAY], { stdin: await packTar(entries) });
  if (code !== 0) throw new Error(`the workspace could not be laid out (${code})`);
  return readHashes(bytes);
}

/** What is other than it was. Throws when the container is silent. */
export async function takeOut(machine: Machine, before: Hashes): Promise<Taken> {
  const listed = await machine.exec(LIST);
  const found = splitNames(listed.bytes).map(readListed);
  const files = found.filter(({ type }) => type === "f");
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  // Before anything is read: a job may leave gigabytes.
  if (listed.cut || files.length > FILES_MAX || bytes > BYTES_MAX)
    return {
      kind: "refused",
      reason: describeTooMuch(files.length, bytes) ?? "it has left more than can be listed",
    };
  const hashed = await machine.exec(HASH);
  // What is missing in a list that is not whole would be taken for gone.
  if (hashed.code !== 0 || hashed.cut) throw new Error(`what it left could not be listed (${hashed.code})`);
  const after = readHashes(hashed.bytes);
  const named = files.filter(({ path }) => !path.includes(NO_TEXT));
  const changed = named.filter(({ path }) => after.has(path) && after.get(path) !== before.get(path));
  const reason = describeTooMuch(
    changed.length,
    changed.reduce((sum, { size }) => sum + size, 0),
  );
  if (reason !== null) return { kind: "refused", reason };
  const written = await read(
    machine,
    changed.map(({ path }) => path),
  );
  const gone = [...before.keys()].filter((path) => !after.has(path));
  const left: LeftFile[] = [
    ...written.map(({ path, content }) => ({ path, content, base: before.get(path) ?? null })),
    ...gone.map((path) => ({ path, content: null, base: before.get(path) ?? null })),
  ];
  return { kind: "taken", files: left, unkept: found.flatMap(describeUnkept) };
}

/** Throws where not all of them come. */
async function read(machine: Machine, paths: readonly string[]) {
  if (paths.length === 0) return [];
  const argv = [
    "tar",
    "-C",
    "/workspace",
    "-cf",
    "-",
    "--no-recursion",
    // The second name of a file would come without what is in it.
    "--hard-dereference",
    "--null",
    "--verbatim-files-from",
    "-T",
    "-",
  ];
  const list = paths.join("\0");
  const { code, bytes, cut } = await machine.exec(argv, { stdin: list, bytesMax: BYTES_MAX });
  const entries = code === 0 && !cut ? await unpackTar(bytes) : [];
  const wanted = new Set(paths);
  const files = entries.flatMap(({ header: { name: path }, data }) =>
    data !== undefined && wanted.has(path) ? [{ path, content: data }] : [],
  );
  if (files.length < paths.length) throw new Error(`what it left could not be read (${code})`);
  return files;
}

interface Listed {
  /** As `find` tells it: f is a file, l a link. */
  readonly type: string;
  readonly size: number;
  readonly path: string;
}

function readListed(line: string): Listed {
  const [, type = "", size = "", path = ""] = /^(\S) (\d+) ([^]*)$/.exec(line) ?? [];
  return { type, size: Number(size), path };
}

const splitNames = (bytes: Uint8Array) => new TextDecoder().decode(bytes).split("\0").slice(0, -1);

/** Of lines such as `<hash>  <path>`. */
function readHashes(bytes: Uint8Array): Hashes {
  const lines = splitNames(bytes).map((line) => /^(\w+) [ *]([^]*)$/.exec(line) ?? []);
  return new Map(lines.map(([, hash = "", path = ""]) => [path, hash]));
}

function describeUnkept({ type, path }: Listed): string[] {
  if (type === "l") return [`${path} is a link, and is not kept`];
  if (type !== "f") return [`${path} is no file, and is not kept`];
  return path.includes(NO_TEXT) ? [`${path} has a name that is no text, and is not kept`] : [];
}
