/**
 * Markdown as Telegram's HTML, in parts that one message can hold. https://core.telegram.org/bots/api#html-style
 * The text is cut while it is still runs of one style; tags are written afterwards, so that no cut falls into a tag.
 */
import { truncate } from "../../../../shared/text.ts";
import { telegram } from "../../../../shared/channels/telegram.ts";
import { escapeHtml, type Run, parseRuns, type Style } from "./runs.ts";

/** One message's worth of an answer, in Telegram's markup and, should that be refused, as plain text. */
export interface Part {
  readonly markup: string;
  readonly plain: string;
}

/** UTF-16 units "after entities parsing", which is also how JavaScript counts. */
const MESSAGE_UNITS_MAX = telegram.abilities.textUnitsMax;
const PREVIEW_UNITS_MAX = 100;
/** An answer has ten messages' worth of Markdown at most; lists that are indented again and again could be more. */
const MESSAGES_MAX = 12;
const REST_CUT: Part = { markup: "… (the rest was cut)", plain: "… (the rest was cut)" };

/** At least one part, and none that is only white space: an empty message cannot be sent. */
export function render(markdown: string): readonly [Part, ...Part[]] {
  const runs = parseRuns(markdown);
  const plain = runs.map(({ text }) => text).join("");
  const parts = cuts(plain).map(({ from, to }) => ({
    markup: html(slice(runs, from, to)),
    plain: plain.slice(from, to),
  }));
  const shown = parts.filter((part) => part.plain.trim() !== "");
  const [first = { markup: "–", plain: "–" }, ...rest] = shown.slice(0, MESSAGES_MAX);
  return shown.length > MESSAGES_MAX ? [first, ...rest, REST_CUT] : [first, ...rest];
}

/** The first line, with an ellipsis that no whole answer ends its only line with. */
export function renderPreview({ plain }: Part): Part {
  const line = plain.split("\n").find((candidate) => candidate.trim() !== "") ?? "";
  const text = `${truncate(line, PREVIEW_UNITS_MAX)} …`;
  return { markup: escapeHtml(text), plain: text };
}

interface Cut {
  readonly from: number;
  readonly to: number;
}

/** Where a text is cut: between paragraphs rather than lines, between lines rather than words, never inside a surrogate pair. */
function cuts(text: string): Cut[] {
  const all: Cut[] = [];
  let from = 0;
  while (text.length - from > MESSAGE_UNITS_MAX) {
    const window = text.slice(from, from + MESSAGE_UNITS_MAX);
    // A break in the first half would leave a message half empty.
    const breakAt = ["\n\n", "\n", " "]
      .map((separator) => window.lastIndexOf(separator))
      .find((at) => at > MESSAGE_UNITS_MAX / 2);
    const to = from + (breakAt ?? truncate(text.slice(from), MESSAGE_UNITS_MAX).length);
    all.push({ from, to });
    // The break itself stands at neither end.
    from = breakAt === undefined ? to : to + (text.slice(to).length - text.slice(to).trimStart().length);
  }
  if (from < text.length) all.push({ from, to: text.length });
  return all;
}

function slice(runs: readonly Run[], from: number, to: number): Run[] {
  let at = 0;
  return runs.flatMap(({ text, styles }) => {
    const piece = text.slice(Math.max(0, from - at), Math.max(0, to - at));
    at += text.length;
    return piece === "" ? [] : [{ text: piece, styles }];
  });
}

function html(runs: readonly Run[]): string {
  let out = "";
  let open: readonly Style[] = [];
  for (const { text, styles } of [...runs, { text: "", styles: [] }]) {
    const firstNew = open.findIndex((style, depth) => style !== styles[depth]);
    const shared = firstNew === -1 ? open.length : firstNew;
    const closing = open.slice(shared).toReversed();
    out += closing.map(({ tag }) => `</${tag}>`).join("");
    const opening = styles.slice(shared);
    out += opening.map(({ tag, attribute }) => (attribute ? `<${tag} ${attribute}>` : `<${tag}>`)).join("");
    out += escapeHtml(text);
    open = styles;
  }
  return out;
}
