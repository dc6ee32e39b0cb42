/** Markdown flattened into runs of one style: what Telegram can show of it, and in which elements. */
import { type MarkedToken, marked, type Token } from "marked";
import { type Chunk, splitMarkdown } from "./chunks.ts";

/** An element; two runs under the same object stand in the same element. */
export interface Style {
  readonly tag: "b" | "i" | "s" | "code" | "pre" | "blockquote" | "a";
  readonly attribute?: string;
}

export interface Run {
  readonly text: string;
  readonly styles: readonly Style[];
}

/** The runs of a text. What is too wild to be read as Markdown is shown as it was written. */
export function parseRuns(markdown: string): Run[] {
  return trimEnd(splitMarkdown(markdown).flatMap(parseChunk));
}

function parseChunk(chunk: Chunk): Run[] {
  if (chunk.kind === "code") return codeBlock(chunk.text, chunk.language, []);
  const asWritten: Run[] = [{ text: `${chunk.text.trimEnd()}\n\n`, styles: [] }];
  if (chunk.kind === "wild") return asWritten;
  try {
    return blocks(marked.lexer(chunk.text), []);
  } catch {
    // Nested deeper than the stack.
    return asWritten;
  }
}

function blocks(tokens: readonly Token[], styles: readonly Style[]): Run[] {
  return tokens.flatMap((token) => (isKnown(token) ? block(token, styles) : [{ text: token.raw, styles }]));
}

function block(token: MarkedToken, styles: readonly Style[]): Run[] {
  const end = { text: "\n\n", styles };
  switch (token.type) {
    case "heading":
      return [...inline(token.tokens, [...styles, { tag: "b" }]), end];
    case "paragraph":
      return [...inline(token.tokens, styles), end];
    case "code":
      return codeBlock(token.text, token.lang ?? "", styles);
    case "blockquote": {
      // Quotes cannot be nested.
      const quote: Style[] = pickQuotes(styles).length > 0 ? [] : [{ tag: "blockquote" }];
      return [...trimEnd(blocks(token.tokens, [...styles, ...quote])), end];
    }
    case "list":
      return [
        ...token.items.flatMap((item, index) => listItem(token, item, index, styles)),
        { text: "\n", styles },
      ];
    case "table": {
      const rows = [token.header, ...token.rows].map((row) =>
        row.map((cell) => joinText(cell.tokens)).join(" | "),
      );
      return [{ text: rows.join("\n"), styles: [...pickQuotes(styles), { tag: "pre" }] }, end];
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
      return [{ text: token.raw.trimEnd(), styles }, end];
  }
}

function codeBlock(text: string, info: string, styles: readonly Style[]): Run[] {
  const language = /^[\w+#-]+/.exec(info)?.[0];
  const pre: Style[] = [{ tag: "pre" }, ...(language ? [makeCodeStyle(language)] : [])];
  return [
    { text, styles: [...pickQuotes(styles), ...pre] },
    { text: "\n\n", styles },
  ];
}

type List = Extract<MarkedToken, { type: "list" }>;

function listItem(list: List, item: List["items"][number], index: number, styles: readonly Style[]): Run[] {
  const first = typeof list.start === "number" ? list.start : 1;
  const bullet = list.ordered ? `${first + index}. ` : "• ";
  const content = trimEnd(blocks(item.tokens, styles)).map((run, at, all) => {
    if (isCode(run)) return run;
    const next = all[at + 1];
    // Code starts a line of its own, and is not to be changed.
    return next !== undefined && isCode(next)
      ? { ...run, text: `${indented(run).text.trimEnd()}\n` }
      : indented(run);
  });
  return [{ text: bullet, styles }, ...content, { text: "\n", styles }];
}

const indented = ({ text, styles }: Run): Run => ({ text: text.replaceAll("\n", "\n   "), styles });
const isCode = ({ styles }: Run) => styles.some(({ tag }) => tag === "pre");

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
      return [{ text: token.text, styles: [...pickQuotes(styles), { tag: "code" }] }];
    case "br":
      return [{ text: "\n", styles }];
    case "link":
      return inline(token.tokens, [...styles, ...makeLinkStyles(token.href, styles)]);
    case "image":
      return [{ text: token.text || token.href, styles: [...styles, ...makeLinkStyles(token.href, styles)] }];
    case "escape":
      return [{ text: token.text, styles }];
    case "text":
      return token.tokens === undefined
        ? [{ text: decoded(token.text), styles }]
        : inline(token.tokens, styles);
    default:
      return [{ text: token.raw, styles }];
  }
}

const joinText = (tokens: readonly Token[]) =>
  inline(tokens, [])
    .map(({ text }) => text)
    .join("");

/** Code takes no other style around it but a quote. */
const pickQuotes = (styles: readonly Style[]) => styles.filter(({ tag }) => tag === "blockquote");
const makeCodeStyle = (language: string): Style => ({
  tag: "code",
  attribute: `class="language-${language}"`,
});

/** A link, unless it leads nowhere safe or stands in another. */
function makeLinkStyles(href: string, styles: readonly Style[]): Style[] {
  if (!/^(https?|tg|mailto):/i.test(href) || styles.some(({ tag }) => tag === "a")) return [];
  return [{ tag: "a", attribute: `href="${escapeHtml(decoded(href)).replaceAll('"', "&quot;")}"` }];
}

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  nbsp: "\u00a0",
  apos: "'",
};

/** The tokenizer leaves HTML's entities to the browser, and there is none. The common ones, and numbers. */
function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,6})|([a-z]{2,4}));/g, (entity: string, code?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? entity;
    const point = Number(code);
    return point > 31 && (point < 0xd800 || point > 0xdfff) ? String.fromCodePoint(point) : entity;
  });
}

function trimEnd(runs: readonly Run[]): Run[] {
  const kept = [...runs];
  for (let last = kept.pop(); last !== undefined; last = kept.pop()) {
    const text = last.text.trimEnd();
    if (text !== "") return [...kept, { ...last, text }];
  }
  return kept;
}

/** Extensions could add kinds of their own; there are none here. */
function isKnown(token: Token): token is MarkedToken {
  return KINDS.has(token.type);
}

const KINDS: ReadonlySet<string> = new Set<MarkedToken["type"]>([
  ...(["blockquote", "br", "checkbox", "code", "codespan", "def", "del", "em", "escape"] as const),
  ...(["heading", "hr", "html", "image", "link", "list", "list_item", "paragraph"] as const),
  ...(["space", "strong", "table", "text"] as const),
]);
