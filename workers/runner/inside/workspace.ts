/** The workspace inside of an isolate: in memory, and compared with what was laid there when the code is done. */
import type { CodeResult, LaidFile } from "../../../shared/contracts/code.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { findClash, normalizePath, PATH_WORDS, describeTooMuch } from "../../../shared/workspace-paths.ts";

export type Contents = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
type Changes = Extract<CodeResult, { kind: "done" }>["changes"];

/** What is other than it was, what is new, and what is gone. */
export function compare(laid: Contents, left: Contents): Changes {
  const written = [...left].filter(([path, content]) => !isSame(laid.get(path), content));
  const gone = [...laid.keys()].filter((path) => !left.has(path));
  return [
    ...written.map(([path, content]) => ({ path, content })),
    ...gone.map((path) => ({ path, content: null })),
  ];
}

/** Why so much cannot come back; null where it can. */
export function whyTooMuch(changes: Changes): string | null {
  const written = changes.flatMap(({ content }) => content ?? []);
  const bytes = written.reduce((sum, { length }) => sum + length, 0);
  return describeTooMuch(written.length, bytes);
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  if (one === undefined || one.length !== other.length) return false;
  return one === other || one.every((byte, index) => byte === other[index]);
}

/** `workspace`, as code finds it. Every method throws in words. */
export class CodeWorkspace {
  private readonly laid = new Map<string, Uint8Array<ArrayBuffer>>();
  private readonly files = new Map<string, Uint8Array<ArrayBuffer>>();

  lay(files: readonly LaidFile[]): void {
    for (const { path, content } of files) {
      this.laid.set(path, content);
      this.files.set(path, content);
    }
  }

  contents(): Contents {
    return new Map(this.files);
  }

  /** What a script has changed; what was written meanwhile stays. */
  apply(changes: Changes): void {
    for (const { path, content } of changes) {
      if (content === null) this.files.delete(path);
      else this.files.set(path, content);
    }
  }

  changes(): Changes {
    return compare(this.laid, this.files);
  }

  /** The paths, sorted; those below a folder, where one is named. */
  list(folder = ""): string[] {
    const below = folder.replace(/\/*$/, "/");
    return [...this.files.keys()].filter((path) => below === "/" || path.startsWith(below)).toSorted();
  }

  readBytes(path: string): Uint8Array<ArrayBuffer> {
    const content = this.files.get(readPathOf(path));
    if (content === undefined) throw new Error(`workspace: there is no file ${path}`);
    return content.slice();
  }

  read(path: string): string {
    return new TextDecoder().decode(this.readBytes(path));
  }

  writeBytes(path: string, content: Uint8Array<ArrayBuffer>): void {
    const at = readPathOf(path);
    const clash = findClash([...this.files.keys()], at);
    if (clash !== null) throw new Error(`workspace: ${clash} stands in the way of ${at}`);
    if (content.length > LIMITS.file_bytes_max)
      throw new RangeError(`workspace: a file may have ${LIMITS.file_bytes_max} bytes`);
    this.files.set(at, content);
  }

  /** Whether it was there. */
  delete(path: string): boolean {
    return this.files.delete(readPathOf(path));
  }
}

function readPathOf(path: unknown): string {
  const kept = typeof path === "string" ? normalizePath(path) : null;
  if (kept === null) throw new TypeError(`workspace: ${PATH_WORDS}, not ${String(path)}`);
  return kept;
}
