/**
 * The module that runs inside the isolate, around the code: it captures what is printed, returned and saved, within bounds.
 * It shares its isolate with the code and so is trusted with nothing; the runner counts again outside.
 */
import { decodeCodeRequest, encodeCodeForm } from "../../../shared/code-form.ts";
import type { CodeResult, CodeValue } from "../../../shared/contracts/code.ts";
import type { NewFile } from "../../../shared/contracts/file.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { CodeWorkspace, whyTooMuch } from "./workspace.ts";

/** One more than is kept, so that it is noticed when something was cut. */
const CHARS_MAX = LIMITS.output_chars_max + 1;

// Taken before the code can replace them.
const Answer = Response;
const stringify = JSON.stringify;
let begun = false;

const handler = {
  async fetch(request: Request): Promise<Response> {
    // The code may call its own isolate: it would run again, in a request that nobody waits for.
    if (begun) return new Answer(null, { status: 403 });
    begun = true;
    const { files, bash, wallMs } = await decodeCodeRequest(request);
    workspace.lay(files);
    if (bash) scriptMs = wallMs;
    return new Answer(encodeCodeForm(await run()));
  },
};
Object.freeze(handler);
export default handler;

const workspace = new CodeWorkspace();
/** How long a script may take; null where there are none. */
let scriptMs: number | null = null;
let scripts: Promise<unknown> = Promise.resolve();
let printed = "";
const saving: Promise<NewFile>[] = [];
const writing: Promise<void>[] = [];
let bytesSaved = 0;

async function run(): Promise<CodeResult> {
  let value: CodeValue | null = null;
  let error: string | null = null;
  const files: NewFile[] = [];
  try {
    const { default: code } = await import("./code.js");
    const returned = await code();
    if (isBinary(returned)) void keep("", returned);
    else if (returned !== undefined) value = readValue(returned);
  } catch (thrown) {
    const words = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `Thrown: ${show(thrown)}`;
    error = words.slice(0, CHARS_MAX);
  }
  // What was saved before something went wrong is kept.
  for (const saved of await Promise.allSettled(saving)) {
    if (saved.status === "fulfilled") files.push(saved.value);
    else print(`(not saved) ${saved.reason}`);
  }
  await scripts;
  for (const written of await Promise.allSettled(writing))
    if (written.status === "rejected") print(`(not written) ${written.reason}`);
  let changes = workspace.changes();
  const tooMuch = whyTooMuch(changes);
  if (tooMuch !== null) {
    error ??= `workspace: nothing is kept: ${tooMuch}`;
    changes = [];
  }
  return { kind: "done", printed: printed.slice(0, CHARS_MAX), value, error, files, changes };
}

/** Without the frames of what stands around the code. */
function showStack(error: Error): string {
  const lines = (error.stack ?? String(error)).split("\n");
  return lines.filter((line) => !/^\s+at .*harness\.js/.test(line)).join("\n");
}

/** `""` is shown as such, for what nobody sees would be taken for nothing. */
function readValue(returned: unknown): CodeValue {
  const shown = show(returned).slice(0, CHARS_MAX);
  const json = toJson(returned);
  return { shown: shown || '""', json: json.length > LIMITS.value_chars_max ? null : json };
}

/** What JSON has no word for is a text. */
function toJson(value: unknown): string {
  const isText = value instanceof Error || value instanceof Map || value instanceof Set;
  try {
    return (isText ? undefined : stringify(value, withAllNumbers)) ?? stringify(show(value));
  } catch {
    return stringify(show(value));
  }
}

function show(value: unknown, depth = 0): string {
  if (typeof value === "string") return depth === 0 ? value : stringify(value);
  if (value instanceof Error) return showStack(value);
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Map) return `Map ${show([...value], depth + 1)}`;
  if (value instanceof Set) return `Set ${show([...value], depth + 1)}`;
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return stringify(value, withAllNumbers) ?? Object.prototype.toString.call(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** BigInts, infinities and NaN are texts: JSON throws at the one, and says null for the others. */
function withAllNumbers(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function print(...values: unknown[]): void {
  if (printed.length > CHARS_MAX) return;
  printed += (printed === "" ? "" : "\n") + values.map((value) => show(value)).join(" ");
}
for (const level of ["debug", "dir", "error", "info", "log", "table", "trace", "warn"] as const)
  console[level] = print;

function keep(name: string, content: unknown): Promise<NewFile> {
  if (saving.length >= LIMITS.files_per_call_max)
    throw new RangeError(`save: more than ${LIMITS.files_per_call_max} files`);
  const saved = read(name, content);
  saved.catch(() => undefined);
  saving.push(saved);
  return saved;
}

async function toBytes(content: unknown): Promise<Uint8Array<ArrayBuffer>> {
  const given = await content;
  return new Uint8Array(await new Response(isBinary(given) ? given : show(given)).arrayBuffer());
}

async function read(name: string, content: unknown): Promise<NewFile> {
  const bytes = await toBytes(content);
  if (bytesSaved + bytes.length > LIMITS.file_bytes_max)
    throw new RangeError(`save: more than ${LIMITS.file_bytes_max} bytes in all`);
  bytesSaved += bytes.length;
  // Its type is told outside, by its name.
  return { name, mime: "", content: bytes };
}

function isBinary(
  value: unknown,
): value is ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob | ReadableStream {
  return (
    value instanceof ArrayBuffer ||
    ArrayBuffer.isView(value) ||
    value instanceof Blob ||
    value instanceof ReadableStream
  );
}

/** Where nobody waits for it, it is done before the code is. A text is written at once, so that the next line reads it. */
function write(path: string, content: unknown): Promise<void> {
  if (content === undefined || content === null)
    throw new TypeError("workspace.write(path, content) takes a string, bytes, a Blob, or what can be shown");
  const isLater = content instanceof Promise || content instanceof Blob || content instanceof ReadableStream;
  const written = isLater
    ? toBytes(content).then((bytes) => workspace.writeBytes(path, bytes))
    : Promise.resolve(workspace.writeBytes(path, toBytesNow(content)));
  written.catch(() => undefined);
  writing.push(written);
  return written;
}

function toBytesNow(content: unknown): Uint8Array<ArrayBuffer> {
  if (content instanceof ArrayBuffer) return new Uint8Array(content.slice());
  if (ArrayBuffer.isView(content))
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength).slice();
  return new TextEncoder().encode(show(content)).slice();
}

interface ScriptEnd {
  readonly output: string;
  readonly exitCode: number;
}

/** One after the other, over the workspace as it is then. */
function runScript(script: unknown): Promise<ScriptEnd> {
  if (typeof script !== "string") throw new TypeError("bash(script) takes a string");
  const ended = scripts.then(async () => {
    if (scriptMs === null) throw new Error("bash: a policy holds scripts back here");
    const { runBash } = await import("./bash.js");
    const { output, exitCode, refused, changes } = await runBash(script, workspace.contents(), scriptMs);
    if (refused !== null) throw new Error(`bash: nothing is kept of the script: ${refused}`);
    workspace.apply(changes);
    return { output, exitCode };
  });
  scripts = ended.catch(() => undefined);
  return ended;
}

Object.assign(globalThis, {
  bash: runScript,
  workspace: Object.freeze({
    list: (folder?: string) => workspace.list(folder),
    read: (path: string) => workspace.read(path),
    readBytes: (path: string) => workspace.readBytes(path),
    write,
    delete: (path: string) => workspace.delete(path),
  }),
  save(name: unknown, content: unknown): Promise<void> {
    if (typeof name !== "string" || name === "" || content === undefined || content === null)
      throw new TypeError(
        "save(name, content) takes a name and a string, bytes, a Blob, or what can be shown",
      );
    const done = keep(name, content).then(() => undefined);
    done.catch(() => undefined);
    return done;
  },
});
