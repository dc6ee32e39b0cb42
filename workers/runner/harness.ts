/**
 * The module that runs inside the isolate, around the code: it captures what is printed and returned, within bounds.
 * It is text because it is loaded as text; it shares its isolate with the code and so is trusted with nothing.
 */
import { LIMITS } from "../../shared/limits.ts";

export const HARNESS = `
const CHARS_MAX = ${LIMITS.observation_chars_max};

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

export default {
  async fetch() {
    let code;
    try { code = (await import("./code.js")).default; }
    catch (thrown) { return Response.json({ kind: "syntax_error", message: String(thrown) }); }
    let value = null;
    let error = null;
    try {
      const returned = await code();
      if (returned !== undefined) value = show(returned).slice(0, CHARS_MAX + 1);
    } catch (thrown) {
      error = (thrown instanceof Error ? thrown.name + ": " + thrown.message : "Thrown: " + show(thrown)).slice(0, CHARS_MAX);
    }
    return Response.json({ kind: "done", printed: printed.slice(0, CHARS_MAX + 1), value, error });
  },
};
`;
