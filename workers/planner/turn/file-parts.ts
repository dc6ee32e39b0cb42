/** A file as a model is given it: seen, read, or only named. */
import { getMimeType } from "hono/utils/mime";
import { formatSize } from "../../../shared/files.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { cutMiddle } from "../../../shared/text.ts";
import type { FilePart, TextPart } from "../models/model.ts";
import type { Fence } from "./fence.ts";
import type { PromptFile } from "./files.ts";

/** What an image or a document counts in the budget: about 1,500 tokens. */
const SEEN_CHARS = 6_000;
const IMAGES: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);
const PDF = "application/pdf";
const TEXT = /^text\/|[/+](?:json|xml|yaml|javascript|typescript|csv|toml)\b/;

/** Texts that platforms send as "application/octet-stream". */
const SOURCE =
  /\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|c|h|cpp|cs|php|sh|sql|ya?ml|toml|ini|conf|log|md|tex|srt|vtt)$/i;

/** Seen, or read within its room; what has no room is only named. Its name was given by whoever made it, and is fenced as its words are. */
export function toFileParts(file: PromptFile, fence: Fence, charsMax = Infinity): (FilePart | TextPart)[] {
  const { name, mime, bytes, content, failure } = file;
  const named = fence.around(`${name} (${mime})`);
  if (content === null) return said(`A file came with this, and cannot be read: ${failure}.\n${named}`);
  if (isSeen(mime) && charsMax >= SEEN_CHARS) {
    if (mime !== PDF) return [{ type: "image", mime, content }];
    return [...said(`A document came with this:\n${named}`), { type: "document", mime, content }];
  }
  const text = readText(file);
  if (text !== null) return said(readWithin(name, text, fence, charsMax));
  const why = isSeen(mime) ? "for which there is no room" : "of a kind that you cannot read";
  return said(`A file came with this, ${why} (${formatSize(bytes)}):\n${named}`);
}

function readWithin(name: string, text: string, fence: Fence, charsMax: number): string {
  const whole = `A file came with this:\n${fence.around(`${name}\n\n${text}`)}`;
  if (whole.length <= charsMax) return whole;
  const cut = cutMiddle(text, charsMax - (whole.length - text.length));
  return `A file came with this:\n${fence.around(`${name}\n\n${cut}`)}`;
}

/** What it counts in the budget, whole. */
export function countFileChars(file: PromptFile, fence: Fence): number {
  return toFileParts(file, fence).reduce(
    (sum, part) => sum + (part.type === "text" ? part.text.length : SEEN_CHARS),
    0,
  );
}

const isSeen = (mime: string) => IMAGES.has(mime) || mime === PDF;
const said = (text: string): TextPart[] => [{ type: "text", text }];

/** Null for what is no text. */
function readText({ name, mime, content }: PromptFile): string | null {
  if (content === null) return null;
  const isNamedSo = TEXT.test(mime) || TEXT.test(getMimeType(name) ?? "") || SOURCE.test(name);
  // A zero is in no text, whatever it is called.
  if (!isNamedSo || content.includes(0)) return null;
  const text = decoded(content);
  return cutMiddle(text, LIMITS.file_chars_max);
}

/** What is not UTF-8 is mostly what Windows wrote. */
function decoded(content: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(content);
  } catch {
    return new TextDecoder("windows-1252").decode(content);
  }
}
