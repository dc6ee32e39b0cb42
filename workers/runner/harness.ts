/**
 * The module that runs inside the isolate, around the code: it captures what is printed, returned and saved, within bounds.
 * It is text because it is loaded as text; it shares its isolate with the code and so is trusted with nothing.
 */
import { LIMITS } from "../../shared/limits.ts";

export const HARNESS = `
const CHARS_MAX = ${LIMITS.output_chars_max};
const FILES_MAX = ${LIMITS.files_per_call_max};
const BYTES_MAX = ${LIMITS.file_bytes_max};

function show(value, depth = 0) {
  if (typeof value === "string") return depth === 0 ? value : JSON.stringify(value);
  if (value instanceof Error) return value.stack ?? String(value);
  if (typeof value !== "object" || value === null) return typeof value === "bigint" ? value + "n" : String(value);
  if (value instanceof Map) return "Map " + show([...value], depth + 1);
  if (value instanceof Set) return "Set " + show([...value], depth + 1);
  try { return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? inner + "n" : inner)) ?? String(value); }
  catch { return String(value); }
}

let printed = "";
function print(...values) {
  if (printed.length > CHARS_MAX) return;
  printed += (printed === "" ? "" : "\\n") + values.map((value) => show(value)).join(" ");
}
for (const level of ["debug", "dir", "error", "info", "log", "table", "trace", "warn"]) console[level] = print;

const saving = [];
let bytesSaved = 0;
async function read(name, content) {
  const given = await content;
  const body = isBinary(given) ? given : show(given);
  const bytes = new Uint8Array(await new Response(body).arrayBuffer());
  if (bytesSaved + bytes.length > BYTES_MAX) throw new RangeError("save: more than " + BYTES_MAX + " bytes in all");
  bytesSaved += bytes.length;
  return { name: String(name), base64: base64(bytes) };
}
function keep(name, content) {
  if (saving.length >= FILES_MAX) throw new RangeError("save: more than " + FILES_MAX + " files");
  const saved = read(name, content);
  saved.catch(() => undefined);
  saving.push(saved);
  return saved;
}
function isBinary(value) {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) || value instanceof Blob || value instanceof ReadableStream;
}
function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}
globalThis.save = (name, content) => {
  if (typeof name !== "string" || name === "" || content === undefined || content === null)
    throw new TypeError("save(name, content) takes a name and a string, bytes, a Blob, or what can be shown");
  const done = keep(name, content).then(() => undefined);
  done.catch(() => undefined);
  return done;
};

export default {
  async fetch() {
    let code;
    try { code = (await import("./code.js")).default; }
    catch (thrown) { return Response.json({ kind: "syntax_error", message: String(thrown) }); }
    let value = null;
    let error = null;
    const files = [];
    try {
      const returned = await code();
      if (isBinary(returned)) keep("", returned);
      else if (returned !== undefined) value = show(returned).slice(0, CHARS_MAX + 1);
    } catch (thrown) {
      error = (thrown instanceof Error ? thrown.name + ": " + thrown.message : "Thrown: " + show(thrown)).slice(0, CHARS_MAX);
    }
    // What was saved before something went wrong is kept.
    for (const saved of await Promise.allSettled(saving)) {
      if (saved.status === "fulfilled") files.push(saved.value);
      else print("(not saved) " + saved.reason);
    }
    return Response.json({ kind: "done", printed: printed.slice(0, CHARS_MAX + 1), value, error, files });
  },
};
`;
