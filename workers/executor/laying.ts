/** A workspace's way into a sandbox and back: what fits and what the policy allows goes in, and what a job may leave comes out. */
import { getMimeType } from "hono/utils/mime";
import type { LaidFile } from "../../shared/contracts/code.ts";
import type { LeftFile } from "../../shared/contracts/job.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { AskedTool } from "../../shared/policy/decide.ts";
import { concurrently } from "../../shared/queue/concurrently.ts";
import type { PathChange, WorkspaceFile } from "../../shared/store/workspace.ts";
import { formatCode } from "../../shared/text.ts";
import { findClash, normalizePath, WORKSPACE_FULL } from "../../shared/workspace-paths.ts";
import { makePathRules } from "./rules.ts";
import type { ToolContext } from "./tools/tool.ts";
import { decodeText, type Workspace, WorkspaceError } from "./workspace.ts";

/** Files that are read or written at the same time. */
const AT_ONCE = 20;
/** Of names in a message. */
const NAMED_MAX = 5;
const TEXT = "text/plain; charset=utf-8";
const BYTES = "application/octet-stream";

export interface Laid {
  readonly files: readonly LaidFile[];
  /** In words, which files are not in there, and why; "" for none. */
  readonly missing: string;
  /** What a job has left, as changes of the workspace; and in words, what of it is not kept. */
  readonly read: (left: readonly LeftFile[]) => Promise<{ changes: PathChange[]; lost: string }>;
}

/** Reads the files of the workspace, the smallest first, for as long as there is room. */
export async function layOut(workspace: Workspace, context: ToolContext, tool: AskedTool): Promise<Laid> {
  const refuse = makePathRules(workspace.policy, tool);
  const refused = workspace.files.filter(({ path }) => refuse(path) !== null);
  const taken: WorkspaceFile[] = [];
  const tooMuch: WorkspaceFile[] = [];
  let room = LIMITS.sandbox_bytes_max;
  for (const file of workspace.files.toSorted((one, other) => one.bytes - other.bytes)) {
    if (refused.includes(file)) continue;
    const fits = file.bytes <= room && taken.length < LIMITS.sandbox_files_max;
    (fits ? taken : tooMuch).push(file);
    if (fits) room -= file.bytes;
  }
  const files: LaidFile[] = [];
  await concurrently(taken, AT_ONCE, async ({ path, sha256 }) => {
    const content = await context.readFile(sha256);
    if (content === null) throw new WorkspaceError(`the content of ${formatCode(path)} is not kept any more`);
    files.push({ path, content });
  });
  const missing = [
    describe("not in there, for want of room", tooMuch),
    describe("not in there, by the policy", refused),
  ];
  return {
    files,
    missing: missing.filter((words) => words !== "").join("\n"),
    read: (left) => readLeft(workspace, { taken, refuse }, left),
  };
}

interface Rules {
  readonly taken: readonly WorkspaceFile[];
  readonly refuse: (path: string) => string | null;
}

async function readLeft(workspace: Workspace, { taken, refuse }: Rules, left: readonly LeftFile[]) {
  if (left.filter(({ content }) => content !== null).length > LIMITS.workspace_files_max)
    throw new WorkspaceError(WORKSPACE_FULL);
  const changes: PathChange[] = [];
  const lost: string[] = [];
  const gone = new Set(left.flatMap(({ path, content }) => (content === null ? path : [])));
  const written = left.flatMap(({ path, content }) => (content === null ? [] : path));
  const there = [...workspace.files.map(({ path }) => path).filter((path) => !gone.has(path)), ...written];
  await concurrently(left, AT_ONCE, async ({ path, content, base: laidAs }) => {
    const base = taken.find((file) => file.path === path);
    const isUnseen = base === undefined && workspace.find(path) !== undefined;
    const why = whyNot(path, content, refuse) ?? (isUnseen ? UNSEEN : whyClash(there, path, content));
    if (why !== null) lost.push(`${formatCode(path)} (${why})`);
    else {
      const change: PathChange =
        content === null
          ? { path, base: base?.sha256 ?? null, file: null }
          : await workspace.keep(path, getMimeType(path) ?? guessMime(base, content), content);
      // A job that was found again was begun over what lay there then.
      changes.push(laidAs === undefined ? change : { ...change, base: laidAs });
    }
  });
  return { changes, lost: shorten(lost) };
}

/** A path is a file's or a folder's, also among those that a job has made up. */
function whyClash(there: readonly string[], path: string, content: LeftFile["content"]): string | null {
  const clash = content === null ? null : findClash(there, path);
  return clash === null ? null : `${clash} stands in the way`;
}

const UNSEEN = "another lies there, which was not laid out";

/** Why a file cannot be kept under that path; null where it can. */
function whyNot(path: string, content: LeftFile["content"], refuse: Rules["refuse"]): string | null {
  if (normalizePath(path) !== path) return "no path of a workspace";
  if ((content?.length ?? 0) > LIMITS.file_bytes_max)
    return `a file may have ${LIMITS.file_bytes_max / 1024 ** 2} MiB`;
  return refuse(path);
}

const guessMime = (base: WorkspaceFile | undefined, content: Uint8Array) =>
  base?.mime ?? (decodeText(content) === null ? BYTES : TEXT);

function describe(why: string, files: readonly WorkspaceFile[]): string {
  if (files.length === 0) return "";
  return `(${why}: ${shorten(files.map(({ path }) => formatCode(path)))})`;
}

function shorten(names: readonly string[]): string {
  const more = names.length > NAMED_MAX ? `, and ${names.length - NAMED_MAX} more` : "";
  return `${names.slice(0, NAMED_MAX).join(", ")}${more}`;
}
