/** Cutting text, in UTF-16 units, as JavaScript and Telegram count. */

/** At most `unitsMax` units of it, from its beginning, ending on a whole character. */
export function truncate(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  const endsInPair = /[\uD800-\uDBFF]/.test(text.charAt(unitsMax - 1));
  return text.slice(0, endsInPair ? unitsMax - 1 : unitsMax);
}

/** What stands where something is left out is no longer than this. */
export const LEFT_OUT_UNITS = 60;

/** At most so long: its beginning and its end, and between them how much is left out. What has room for less than those words is those words. */
export function cutMiddle(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  const kept = Math.max(0, unitsMax - LEFT_OUT_UNITS);
  const head = truncate(text, Math.ceil(kept / 2));
  const tail = text.slice(text.length - Math.floor(kept / 2)).replace(/^[\uDC00-\uDFFF]/, "");
  const note = `… (${text.length - head.length - tail.length} characters left out) …`;
  return [head, note, tail].filter((part) => part !== "").join("\n");
}

/**
 * One line, at most so long, with an ellipsis if something is missing. Control characters are spaces: a Workflow refuses them in the name
 * of a step, terminals obey them, and those that turn the direction of writing hide what a line says.
 */
export function toOneLine(text: string, unitsMax: number): string {
  const line = text
    .toWellFormed()
    .replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, " ")
    .trim();
  return line.length <= unitsMax ? line : `${truncate(line, unitsMax - 1)}…`;
}

/** As it stands in Markdown, whatever is in it. */
export function formatCode(text: string): string {
  return `\`${text.replaceAll("`", "'")}\``;
}

/** A code block whose fence is longer than any run of backticks inside. */
export function formatBlock(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}\n${text}\n${ticks}`;
}

/** What people have pasted as they would write it in a message: in a block. */
export function stripFence(text: string): string {
  const [, inner = text] = /^```\w*\n([\s\S]*?)\n?```\s*$/.exec(text.trim()) ?? [];
  return inner;
}
