/**
 * Markdown as Telegram shows it: HTML in parts that one message can hold. https://core.telegram.org/bots/api#html-style
 * The text is flattened into runs of one style first; it is cut there and tags are written afterwards,
 * so that no cut can fall into a tag.
 */
import { type MarkedToken, marked, type Token } from "marked";
import type { Part } from "./index.ts";

/** UTF-16 units "after entities parsing", which is also how JavaScript counts. */
export const MESSAGE_UNITS_MAX = 4_096;
const PREVIEW_UNITS_MAX = 100;

/** An element; two runs under the same object stand in the same element. */
interface Style {
  readonly tag: "b" | "i" | "s" | "code" | "pre" | "blockquote" | "a";
  readonly attribute?: string;
}

interface Run {
  readonly text: string;
  readonly styles: readonly Style[];
}

const KINDS: ReadonlySet<string> = new Set<MarkedToken["type"]>([
  ...([
    "blockquote",
    "br",
    "checkbox",
    "code",
    "codespan",
    "def",
    "del",
    "em",
    "escape",
    "heading",
    "hr",
    "html",
  ] as const),
  ...(["image", "link", "list", "list_item", "paragraph", "space", "strong", "table", "text"] as const),
]);

/** At least one part; an empty text is shown as a dash, for an empty message cannot be sent. */
export function renderTelegram(markdown: string): readonly [Part, ...Part[]] {
  const runs = trimEnd(blocks(marked.lexer(markdown), []));
  const plain = runs.map(({ text }) => text).join("");
  const [first = { markup: "–", plain: "–" }, ...rest] = cuts(plain).map(({ from, to }) => ({
    markup: html(slice(runs, from, to)),
    plain: plain.slice(from, to),
  }));
  return [first, ...rest];
}

/** The first line, with an ellipsis that no whole answer ends its only line with. */
export function previewOf({ plain }: Part): Part {
  const line = plain.split("\n").find((candidate) => candidate.trim() !== "") ?? "";
  const text = `${line.slice(0, wholePairs(line, PREVIEW_UNITS_MAX))} …`;
  return { markup: escape(text), plain: text };
}

function blocks(tokens: readonly Token[], styles: readonly Style[]): Run[] {
  return tokens.flatMap((token) => (isKnown(token) ? block(token, styles) : [{ text: token.raw, styles }]));
}

/** Extensions could add kinds of their own; there are none here. */
function isKnown(token: Token): token is MarkedToken {
  return KINDS.has(token.type);
}

function block(token: MarkedToken, styles: readonly Style[]): Run[] {
  const end = { text: "\n\n", styles };
  switch (token.type) {
    case "heading":
      return [...inline(token.tokens, [...styles, { tag: "b" }]), end];
    case "paragraph":
      return [...inline(token.tokens, styles), end];
    case "code": {
      const language = /^[\w+#-]+/.exec(token.lang ?? "")?.[0];
      const pre: Style[] = [{ tag: "pre" }, ...(language ? [codeIn(language)] : [])];
      return [{ text: token.text, styles: [...quotesOf(styles), ...pre] }, end];
    }
    case "blockquote":
      // Quotes cannot be nested.
      return [
        ...trimEnd(
          blocks(token.tokens, quotesOf(styles).length > 0 ? styles : [...styles, { tag: "blockquote" }]),
        ),
        end,
      ];
    case "list":
      return [
        ...token.items.flatMap((item, index) => listItem(token, item, index, styles)),
        { text: "\n", styles },
      ];
    case "table": {
      const rows = [token.header, ...token.rows].map((row) => row.map((cell) => cell.text).join(" | "));
      return [{ text: rows.join("\n"), styles: [...quotesOf(styles), { tag: "pre" }] }, end];
    }
    case "hr":
      return [{ text: "———", styles }, end];
    case "space":
    case "def":
      return [];
    case "text":
      // A line of a list item; a list may follow it.
      return [...inlineToken(token, styles), { text: "\n", styles }];
    default:
      // Raw HTML too: shown as it was written.
      return [{ text: token.raw, styles }];
  }
}

type List = Extract<MarkedToken, { type: "list" }>;

function listItem(list: List, item: List["items"][number], index: number, styles: readonly Style[]): Run[] {
  const first = typeof list.start === "number" ? list.start : 1;
  const bullet = list.ordered ? `${first + index}. ` : "• ";
  const content = trimEnd(blocks(item.tokens, styles)).map(({ text, styles: inner }) => ({
    text: text.replaceAll("\n", "\n   "),
    styles: inner,
  }));
  return [{ text: bullet, styles }, ...content, { text: "\n", styles }];
}

function inline(tokens: readonly Token[], styles: readonly Style[]): Run[] {
  return tokens.flatMap((token) =>
    isKnown(token) ? inlineToken(token, styles) : [{ text: token.raw, styles }],
  );
}

function inlineToken(token: MarkedToken, styles: readonly Style[]): Run[] {
  switch (token.type) {
    case "strong":
      return inline(token.tokens, [...styles, { tag: "b" }]);
    case "em":
      return inline(token.tokens, [...styles, { tag: "i" }]);
    case "del":
      return inline(token.tokens, [...styles, { tag: "s" }]);
    case "codespan":
      return [{ text: token.text, styles: [...quotesOf(styles), { tag: "code" }] }];
    case "br":
      return [{ text: "\n", styles }];
    case "link":
      return inline(token.tokens, isSafe(token.href) ? [...styles, linkTo(token.href)] : styles);
    case "image":
      return [
        {
          text: token.text || token.href,
          styles: isSafe(token.href) ? [...styles, linkTo(token.href)] : styles,
        },
      ];
    case "escape":
      return [{ text: token.text, styles }];
    case "text":
      return token.tokens === undefined ? [{ text: token.text, styles }] : inline(token.tokens, styles);
    default:
      return [{ text: token.raw, styles }];
  }
}

/** Code takes no other style around it but a quote. */
const quotesOf = (styles: readonly Style[]) => styles.filter(({ tag }) => tag === "blockquote");
const codeIn = (language: string): Style => ({ tag: "code", attribute: `class="language-${language}"` });
const linkTo = (href: string): Style => ({
  tag: "a",
  attribute: `href="${escape(href).replaceAll('"', "&quot;")}"`,
});
const isSafe = (href: string) => /^(https?|tg|mailto):/i.test(href);

function trimEnd(runs: readonly Run[]): Run[] {
  const kept = [...runs];
  for (let last = kept.pop(); last !== undefined; last = kept.pop()) {
    const text = last.text.trimEnd();
    if (text !== "") return [...kept, { ...last, text }];
  }
  return kept;
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
    const to = from + (breakAt ?? wholePairs(window, MESSAGE_UNITS_MAX));
    all.push({ from, to });
    // The break itself stands at neither end.
    from = breakAt === undefined ? to : to + (text.slice(to).length - text.slice(to).trimStart().length);
  }
  if (from < text.length) all.push({ from, to: text.length });
  return all;
}

/** The largest length up to `max` that does not end on the first half of a surrogate pair. */
function wholePairs(text: string, max: number): number {
  if (text.length <= max && max !== text.length) return text.length;
  return /[\uD800-\uDBFF]/.test(text.charAt(max - 1)) ? max - 1 : max;
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
    out += open
      .slice(shared)
      .toReversed()
      .map(({ tag }) => `</${tag}>`)
      .join("");
    out += styles
      .slice(shared)
      .map(({ tag, attribute }) => (attribute ? `<${tag} ${attribute}>` : `<${tag}>`))
      .join("");
    out += escape(text);
    open = styles;
  }
  return out;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
