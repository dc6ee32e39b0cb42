/** `files`: the workspace, read and changed. */
import { getMimeType } from "hono/utils/mime";
import { files as definition } from "../../../shared/contracts/tools/files.ts";
import type { InputOf } from "../../../shared/contracts/tools/index.ts";
import { formatSize } from "../../../shared/files.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { PathChange } from "../../../shared/store/workspace.ts";
import { formatCode } from "../../../shared/text.ts";
import { makePathRules } from "../rules.ts";
import { decodeText, readPathOf, Workspace, WorkspaceError } from "../workspace.ts";
import { failing, type Run, type ToolResult } from "./tool.ts";

type Input = InputOf<"files">;
const TEXT = "text/plain; charset=utf-8";
const IMAGES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
/** Of a listing: what is beyond is counted. */
const LISTED_MAX = 200;

export const files: Run<"files"> = async (context, input) => {
  try {
    const workspace = await Workspace.open(context);
    // Made again, as a step is whose end nobody heard of, it says what it has said.
    if (workspace.made !== null) return say(workspace.made);
    return await OPS[input.op](workspace, input);
  } catch (error) {
    if (error instanceof WorkspaceError) return failing(`Not done: ${error.message}.`);
    throw error;
  }
};

const OPS: Record<Input["op"], (workspace: Workspace, input: Input) => ToolResult | Promise<ToolResult>> = {
  list,
  read,
  write: async (workspace, input) => {
    const path = pathOf(input);
    return put(workspace, path, input.text ?? "");
  },
  edit,
  move,
  delete: remove,
};

const say = (text: string): ToolResult => ({ parts: [{ type: "text", text }], value: null, error: null });
const pathOf = ({ path = "" }: Input) => readPathOf(path);

function list(workspace: Workspace, { path = "" }: Input): ToolResult {
  const folder = path === "" || path === "." || path === "/" ? "" : readPathOf(path.replace(/\/+$/, ""));
  const file = workspace.find(folder);
  const found = file === undefined ? workspace.listBelow(folder) : [file];
  if (found.length === 0)
    return say(folder === "" ? "The workspace is empty." : `There is nothing in ${formatCode(folder)}.`);
  const lines = found.slice(0, LISTED_MAX).map(({ path: at, bytes }) => `${at} (${formatSize(bytes)})`);
  const more = found.length > LISTED_MAX ? [`… and ${found.length - LISTED_MAX} more`] : [];
  return say([...lines, ...more].join("\n"));
}

async function read(workspace: Workspace, input: Input): Promise<ToolResult> {
  const { file, content } = await workspace.read(pathOf(input));
  if (IMAGES.has(file.mime)) {
    const image = { name: file.path, mime: file.mime, content };
    return { parts: [{ type: "image", image }], value: null, error: null };
  }
  const text = decodeText(content);
  if (text === null)
    return say(`${file.path} is no text (${file.mime}, ${formatSize(file.bytes)}): it can be sent as it is.`);
  return say(cutLines(text, input));
}

/** Lines from one on, as many as are wanted and as there is room for; what is left out is said. */
function cutLines(text: string, { from_line: from = 1, lines: count = Infinity }: Input): string {
  const all = text.replace(/\n$/, "").split("\n");
  if (from > all.length) return `(it has ${all.length} lines)`;
  const kept: string[] = [];
  let room = LIMITS.file_read_chars_max;
  for (const line of all.slice(from - 1)) {
    if (kept.length >= count || room < line.length) break;
    kept.push(line);
    room -= line.length + 1;
  }
  const last = from - 1 + kept.length;
  if (kept.length === 0)
    return `${all[from - 1]?.slice(0, LIMITS.file_read_chars_max)}\n… (the first ${LIMITS.file_read_chars_max} characters of line ${from} of ${all.length}, which is long)`;
  return last === all.length && from === 1
    ? text
    : `${kept.join("\n")}\n… (lines ${from}–${last} of ${all.length})`;
}

async function put(workspace: Workspace, path: string, text: string): Promise<ToolResult> {
  const content = new TextEncoder().encode(text).slice();
  const change = await workspace.put(path, getMimeType(path) ?? TEXT, content);
  return make(workspace, [change], `${path} has ${formatSize(content.byteLength)} now.`);
}

async function make(workspace: Workspace, changes: readonly PathChange[], said: string): Promise<ToolResult> {
  await workspace.change(changes, said);
  return say(said);
}

async function edit(workspace: Workspace, input: Input): Promise<ToolResult> {
  const path = pathOf(input);
  const { content } = await workspace.read(path);
  const text = decodeText(content);
  if (text === null) throw new WorkspaceError(`${formatCode(path)} is no text`);
  const { find = "", replace = "", all = false } = input;
  const times = text.split(find).length - 1;
  if (times === 0) throw new WorkspaceError(`what is to be found does not stand in ${formatCode(path)}`);
  if (times > 1 && !all)
    throw new WorkspaceError(
      `it stands there ${times} times: give more of what is around it, or set \`all\``,
    );
  return put(workspace, path, text.split(find).join(replace));
}

async function move(workspace: Workspace, input: Input): Promise<ToolResult> {
  const [from, to] = [pathOf(input), readPathOf(input.to ?? "")];
  if (to === from || to.startsWith(`${from}/`)) throw new WorkspaceError("it cannot be moved into itself");
  if (workspace.find(to) !== undefined)
    throw new WorkspaceError(`${formatCode(to)} is there already: delete it first, or give another name`);
  workspace.assertFree(to);
  const moved = whatIs(workspace, from);
  const targets = moved.map(({ path }) => readPathOf(`${to}${path.slice(from.length)}`));
  assertRuled(workspace, from, [...moved.map(({ path }) => path), ...targets]);
  const changes = moved.flatMap(({ path, ...file }, index): PathChange[] => [
    { path, base: file.sha256, file: null },
    { path: targets[index] ?? path, base: null, file },
  ]);
  return make(workspace, changes, `${from} is ${to} now${describeCount(moved)}.`);
}

async function remove(workspace: Workspace, input: Input): Promise<ToolResult> {
  const path = pathOf(input);
  const removed = whatIs(workspace, path);
  assertRuled(
    workspace,
    path,
    removed.map((file) => file.path),
  );
  const changes = removed.map((file) => ({ path: file.path, base: file.sha256, file: null }));
  return make(workspace, changes, `${path} is deleted${describeCount(removed)}.`);
}

const describeCount = ({ length }: readonly unknown[]) => (length > 1 ? ` (${length} files)` : "");

/** The file, or what is in the folder. */
function whatIs(workspace: Workspace, path: string) {
  const file = workspace.find(path);
  const found = file === undefined ? workspace.listBelow(path) : [file];
  if (found.length === 0) throw new WorkspaceError(`there is nothing at ${formatCode(path)}`);
  return found;
}

/** Of a folder the policy has seen the name alone: what it says of the files in it holds as well. Throws where it does not allow one. */
function assertRuled({ policy }: Workspace, named: string, paths: readonly string[]): void {
  if (paths.every((path) => path === named)) return;
  const refuse = makePathRules(policy, definition);
  for (const path of paths) {
    const why = refuse(path);
    if (why !== null) throw new WorkspaceError(`${why} of ${formatCode(path)}: name it by itself`);
  }
}
