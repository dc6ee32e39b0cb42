/** The workspace of a call: paths as they are kept, and files read and written by them. */
import { keepFile } from "../../shared/files.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Policy } from "../../shared/policy/policy.ts";
import {
  changeByCall,
  type Found,
  type PathChange,
  readWorkspace,
  type WorkspaceFile,
} from "../../shared/store/workspace.ts";
import { formatCode } from "../../shared/text.ts";
import { findClash, normalizePath, PATH_WORDS, WORKSPACE_FULL } from "../../shared/workspace-paths.ts";
import type { ToolContext } from "./tools/tool.ts";

/** What cannot be done, in words for whoever asked for it. */
export class WorkspaceError extends Error {}

/** As it is kept. Throws for one that leads out of the workspace. */
export function readPathOf(path: string): string {
  const kept = normalizePath(path);
  if (kept === null) throw new WorkspaceError(`${formatCode(path)} is none of the workspace: ${PATH_WORDS}`);
  return kept;
}

/** Null for what is no text. */
export function decodeText(content: Uint8Array): string | null {
  if (content.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return null;
  }
}

export class Workspace {
  private readonly context: ToolContext;
  readonly files: readonly WorkspaceFile[];
  /** What the call has said of the change that it has made, for it may be a step that is made again; null: it has made none. */
  readonly made: string | null;
  readonly policy: Policy;

  private constructor(context: ToolContext, { files, made, policy }: Found) {
    this.context = context;
    this.files = files;
    this.made = made;
    this.policy = policy;
  }

  static async open(context: ToolContext): Promise<Workspace> {
    return new Workspace(context, await readWorkspace(context.env.DB, context, context.conversationId));
  }

  find(path: string): WorkspaceFile | undefined {
    return this.files.find((file) => file.path === path);
  }

  /** Everything below a folder; all of it for "". */
  listBelow(folder: string): WorkspaceFile[] {
    return this.files.filter(({ path }) => folder === "" || path.startsWith(`${folder}/`));
  }

  /** Throws when there is none, or when its content is lost. */
  async read(path: string): Promise<{ file: WorkspaceFile; content: Uint8Array<ArrayBuffer> }> {
    const file = this.find(path);
    if (file === undefined)
      throw new WorkspaceError(`there is no file ${formatCode(path)}${this.hint(path)}`);
    const content = await this.context.readFile(file.sha256);
    if (content === null) throw new WorkspaceError(`the content of ${formatCode(path)} is not kept any more`);
    return { file, content };
  }

  /** A change that puts this content there. Throws when it is too large, or when a file stands where a folder would be. */
  put(path: string, mime: string, content: Uint8Array<ArrayBuffer>): Promise<PathChange> {
    if (content.byteLength > LIMITS.file_bytes_max)
      throw new WorkspaceError(`a file may have ${LIMITS.file_bytes_max / 1024 ** 2} MiB`);
    this.assertFree(path);
    return this.keep(path, mime, content);
  }

  /** The same, whatever stands in the way: another change of the same may take that away. */
  async keep(path: string, mime: string, content: Uint8Array<ArrayBuffer>): Promise<PathChange> {
    const { sha256, bytes } = await keepFile(this.context.env.FILES, { name: path, mime, content });
    const before = this.find(path);
    const file = { sha256, bytes, mime, message_id: before?.message_id ?? null };
    return { path, base: before?.sha256 ?? null, file };
  }

  /** All of it, or nothing, with what is said of it. Throws when somebody else was faster, when it is too much, or too late. */
  async change(changes: readonly PathChange[], said: string): Promise<void> {
    const { env, conversationId } = this.context;
    const changed = await changeByCall(env.DB, this.context, { conversationId, changes, said }, Date.now());
    switch (changed.kind) {
      case "changed":
        return;
      case "conflict": {
        const paths = changed.paths.map(formatCode).join(", ");
        throw new WorkspaceError(
          `somebody else has changed ${paths} meanwhile, or stands in the way: look again, and nothing was done`,
        );
      }
      case "full":
        throw new WorkspaceError(WORKSPACE_FULL);
      case "late":
        throw new WorkspaceError("nobody waits for it any more");
    }
  }

  /** Throws where a file cannot stand. */
  assertFree(path: string): void {
    const clash = findClash(
      this.files.map((file) => file.path),
      path,
    );
    if (clash === null) return;
    throw new WorkspaceError(
      clash.startsWith(`${path}/`)
        ? `${formatCode(path)} is a folder`
        : `${formatCode(clash)} is a file, not a folder`,
    );
  }

  /** People and models mistake the case, and leave out the folder. */
  private hint(path: string): string {
    const name = path.split("/").at(-1)?.toLowerCase() ?? "";
    const like = this.files.filter((file) => file.path.toLowerCase().split("/").at(-1) === name);
    return like.length === 0
      ? ""
      : `; there is ${like
          .map((file) => formatCode(file.path))
          .slice(0, 3)
          .join(", ")}`;
  }
}
