/** Cutting text, in UTF-16 units, as JavaScript and Telegram count. */

/** At most `unitsMax` units of it, from its beginning, ending on a whole character. */
export function truncate(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  const endsInPair = /[\uD800-\uDBFF]/.test(text.charAt(unitsMax - 1));
  return text.slice(0, endsInPair ? unitsMax - 1 : unitsMax);
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
