/** Patterns of hosts and of paths. */

/** `example.org`, `*.example.org` for what is below it, `*`. */
export function matchesHost(host: string, pattern: string): boolean {
  const wanted = pattern.toLowerCase().replace(/\.+$/, "");
  if (wanted === "*") return true;
  return wanted.startsWith("*.") ? host.endsWith(wanted.slice(1)) : host === wanted;
}

/** The segments of a path in a workspace; null for one that leads out of it, or that two systems read in two ways. */
export function readPath(path: string): string[] | null {
  if (path === "" || path !== path.normalize("NFC") || /[\\\p{Cc}]/u.test(path)) return null;
  const segments = path.split("/").filter((segment) => segment !== "." && segment !== "");
  return path.startsWith("/") || segments.length === 0 || segments.includes("..") ? null : segments;
}

/** `*` stands for any characters within a segment, `**` for any segments. */
export function matchesPath(segments: readonly string[], pattern: string): boolean {
  return matchSegments(segments, pattern.split("/"));
}

function matchSegments(segments: readonly string[], wanted: readonly string[]): boolean {
  // By rows instead of by recursion: a pattern of many ** would take for ever.
  let reached = new Set([0]);
  const skip = (places: ReadonlySet<number>) => {
    const all = new Set(places);
    for (const place of all) if (wanted[place] === "**") all.add(place + 1);
    return all;
  };
  for (const segment of segments) {
    const next = new Set<number>();
    for (const place of skip(reached)) {
      const want = wanted[place];
      if (want === "**") next.add(place);
      else if (want !== undefined && matchesSegment(segment, want)) next.add(place + 1);
    }
    reached = next;
  }
  return skip(reached).has(wanted.length);
}

/** Linear: each piece between stars is looked for from where the last one ended. */
function matchesSegment(segment: string, wanted: string): boolean {
  const pieces = wanted.split("*");
  const [first = "", ...rest] = pieces;
  if (rest.length === 0) return segment === first;
  const last = rest.pop() ?? "";
  if (!segment.startsWith(first) || segment.length < first.length + last.length || !segment.endsWith(last))
    return false;
  let from = first.length;
  for (const piece of rest) {
    const at = segment.indexOf(piece, from);
    if (at === -1 || at + piece.length > segment.length - last.length) return false;
    from = at + piece.length;
  }
  return from <= segment.length - last.length;
}
