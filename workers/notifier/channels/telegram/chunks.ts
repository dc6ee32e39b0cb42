/**
 * Markdown in pieces that can be read one by one. The tokenizer's time grows with the square of a list's lines and of a word's length, and
 * an answer may hold anything: pieces are bounded, and between blocks wherever that is possible.
 */

export interface Chunk {
  readonly text: string;
  /** Too wild to be read as Markdown: it is shown as it was written. */
  readonly isWild: boolean;
}

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
const FENCE = /^(`{3,}|~{3,})/;

export function splitMarkdown(markdown: string): Chunk[] {
  const chunks: Chunk[] = [];
  let gathered: string[] = [];
  let chars = 0;
  let linesLeft = LINES_MAX;
  const flush = () => {
    const text = gathered.join("\n");
    linesLeft -= gathered.length;
    if (text.trim() !== "") chunks.push({ text, isWild: linesLeft < 0 || isWild(text) });
    gathered = [];
    chars = 0;
  };
  for (const block of splitBlocks(markdown.split("\n"))) {
    if (FENCE.test(block[0] ?? "")) {
      flush();
      chunks.push({ text: block.join("\n"), isWild: false });
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
    const [, marks] = FENCE.exec(line) ?? [];
    const isNew = block.at(-1)?.trim() === "" && /^\S/.test(line);
    if (fence === null && (marks !== undefined || isNew)) close();
    block.push(line);
    if (fence === null) fence = marks ?? null;
    else if (marks?.startsWith(fence) === true && line.trim() === marks) {
      close();
      fence = null;
    }
  }
  close();
  return blocks;
}
