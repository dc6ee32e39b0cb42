/** Patterns of hosts and of paths: read by the same code as what they are compared with. */
import { LIMITS } from "../limits.ts";
import { normalizeHost } from "./addresses.ts";

/** A host as a pattern names it; null for one that no URL could ever have. */
export function readHostPattern(pattern: string): { host: string; isBelow: boolean } | null {
  if (pattern === "*") return { host: "", isBelow: true };
  const isBelow = pattern.startsWith("*.");
  const host = normalizeHost(isBelow ? pattern.slice(2) : pattern);
  return host === null ? null : { host, isBelow };
}

/** `example.org`, `*.example.org` for what is below it, `*`. */
export function matchesHost(host: string, pattern: string): boolean {
  const wanted = readHostPattern(pattern);
  if (wanted === null) return false;
  if (wanted.host === "") return true;
  return wanted.isBelow ? host.endsWith(`.${wanted.host}`) : host === wanted.host;
}

/** The segments of a path in a workspace; null for one that leads out of it, that two systems read in two ways, or that is too long. */
export function readPath(path: string): string[] | null {
  if (path === "" || path.length > LIMITS.path_chars_max) return null;
  if (path !== path.normalize("NFC") || /[\\\p{Cc}]/u.test(path)) return null;
  const segments = path.split("/").filter((segment) => segment !== "." && segment !== "");
  if (path.startsWith("/") || segments.length > LIMITS.path_segments_max) return null;
  return segments.length === 0 || segments.includes("..") ? null : segments;
}

/** A path as systems read it that do not tell letters of two cases, or of two widths, apart. */
export const foldPath = (path: string) => path.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFC");

/** `*` stands for any characters within a segment, `**` for any segments. */
export function matchesPath(segments: readonly string[], pattern: readonly string[]): boolean {
  // By rows instead of by recursion: a pattern of many ** would take for ever.
  let reached = new Set([0]);
  const skip = (places: ReadonlySet<number>) => {
    const all = new Set(places);
    for (const place of all) if (pattern[place] === "**") all.add(place + 1);
    return all;
  };
  for (const segment of segments) {
    const next = new Set<number>();
    for (const place of skip(reached)) {
      const want = pattern[place];
      if (want === "**") next.add(place);
      else if (want !== undefined && matchesSegment(segment, want)) next.add(place + 1);
    }
    if (next.size === 0) return false;
    reached = next;
  }
  return skip(reached).has(pattern.length);
}

/** Linear: each piece between stars is looked for from where the last one ended. */
function matchesSegment(segment: string, wanted: string): boolean {
  const [first = "", ...rest] = wanted.split("*");
  if (rest.length === 0) return segment === first;
  const last = rest.pop() ?? "";
  const end = segment.length - last.length;
  if (!segment.startsWith(first) || !segment.endsWith(last) || end < first.length) return false;
  let from = first.length;
  for (const piece of rest) {
    const at = segment.indexOf(piece, from);
    if (at === -1 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}
