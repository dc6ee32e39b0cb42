/**
 * Markdown in pieces that can be read one by one. The tokenizer's time grows with the square of a list's lines and of a word's length, and
 * an answer may hold anything: pieces are bounded, and between blocks wherever that is possible.
 */

/** `wild`: it is shown as it was written. `code`: what stands in a fence, which nobody has to read. */
export type Chunk =
  | { readonly kind: "markdown" | "wild"; readonly text: string }
  | { readonly kind: "code"; readonly text: string; readonly language: string };

const CHUNK_CHARS_MAX = 4_000;
const CHUNK_LINES_MAX = 150;
/** Of all pieces together; what comes after them is shown as it was written. */
const LINES_MAX = 3_000;
/** Nobody nests so deep. */
const NESTED = /^(?:[ \t]*(?:[-+*>]|\d{1,9}[.)])){10}/m;
/** No word is so long. */
const WORD = /\S{500}/;
/** Text that is written by hand has fewer. */
const MARKS = /[*_~`[\]<>|!\\&]/g;
const MARKS_MAX = 1_200;
/** At the outermost level: one in a list is indented, as is what it holds. */
const OPENS = /^(`{3,}(?=[^`]*$)|~{3,})(.*)$/;

export function splitMarkdown(markdown: string): Chunk[] {
  const chunks: Chunk[] = [];
  let gathered: string[] = [];
  let chars = 0;
  let linesLeft = LINES_MAX;
  const flush = () => {
    const text = gathered.join("\n");
    linesLeft -= gathered.length;
    const kind = linesLeft < 0 || isWild(text) ? "wild" : "markdown";
    if (text.trim() !== "") chunks.push({ kind, text });
    gathered = [];
    chars = 0;
  };
  for (const block of splitBlocks(markdown.split("\n"))) {
    const [, fence, language] = OPENS.exec(block[0] ?? "") ?? [];
    if (fence !== undefined) {
      flush();
      const inside = block.slice(1, isClosing(block.at(-1) ?? "", fence) ? -1 : undefined);
      chunks.push({ kind: "code", text: inside.join("\n"), language: language?.trim() ?? "" });
      continue;
    }
    const blockChars = block.reduce((sum, line) => sum + line.length + 1, 0);
    const isFull = chars + blockChars > CHUNK_CHARS_MAX || gathered.length + block.length > CHUNK_LINES_MAX;
    if (isFull) flush();
    for (const line of block) {
      if (chars + line.length > CHUNK_CHARS_MAX || gathered.length >= CHUNK_LINES_MAX) flush();
      gathered.push(line);
      chars += line.length + 1;
    }
  }
  flush();
  return chunks;
}

/** The same marks, or more of them, and nothing else. https://spec.commonmark.org/0.31.2/#fenced-code-blocks */
function isClosing(line: string, fence: string): boolean {
  const [, marks] = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line) ?? [];
  return marks?.startsWith(fence) === true;
}

function isWild(text: string): boolean {
  const isTooLong = text.length > CHUNK_CHARS_MAX;
  if (isTooLong || WORD.test(text) || NESTED.test(text)) return true;
  return (text.match(MARKS)?.length ?? 0) > MARKS_MAX;
}

/** Lines that belong together: a fence whole; else up to an empty line with something behind it that is not indented. */
function splitBlocks(lines: readonly string[]): string[][] {
  const blocks: string[][] = [];
  let block: string[] = [];
  let fence: string | null = null;
  const close = () => {
    if (block.length > 0) blocks.push(block);
    block = [];
  };
  for (const line of lines) {
    const [, marks] = OPENS.exec(line) ?? [];
    const isNew = block.at(-1)?.trim() === "" && /^\S/.test(line);
    if (fence === null && (marks !== undefined || isNew)) close();
    block.push(line);
    if (fence === null) fence = marks ?? null;
    else if (isClosing(line, fence)) {
      close();
      fence = null;
    }
  }
  close();
  return blocks;
}
