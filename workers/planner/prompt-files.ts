/** A file as a model is given it: seen, read, or only named. */
import type { Base64ImageSource, ContentBlockParam } from "@anthropic-ai/sdk/resources/messages/messages";
import { sizeOf } from "../../shared/files.ts";
import { LIMITS } from "../../shared/limits.ts";
import { beginning } from "../../shared/text.ts";
import type { PromptFile } from "./files.ts";

/** What an image or a document counts in the budget: about 1,500 tokens. */
const SEEN_CHARS = 6_000;
const IMAGES: ReadonlyMap<string, Base64ImageSource["media_type"]> = new Map([
  ["image/jpeg", "image/jpeg"],
  ["image/png", "image/png"],
  ["image/gif", "image/gif"],
  ["image/webp", "image/webp"],
] as const);
const PDF = "application/pdf";
const TEXT = /^text\/|[/+](?:json|xml|yaml|javascript|typescript|csv|toml)\b/;

export function blockOf(file: PromptFile): ContentBlockParam {
  const { name, mime, bytes, content, failure } = file;
  if (content === null)
    return said(`(A file came with this, ${name} (${mime}), and cannot be read: ${failure}.)`);
  const image = IMAGES.get(mime);
  if (image !== undefined) {
    return { type: "image", source: { type: "base64", media_type: image, data: base64Of(content) } };
  }
  if (mime === PDF)
    return {
      type: "document",
      title: name,
      source: { type: "base64", media_type: PDF, data: base64Of(content) },
    };
  const text = textOf(file);
  if (text !== null) return said(`The file ${name}:\n${fenced(text)}`);
  return said(
    `(A file came with this, ${name} (${mime}, ${sizeOf(bytes)}), of a kind that you cannot read.)`,
  );
}

export function charsOfFile(file: PromptFile): number {
  if (file.content === null) return file.name.length;
  return textOf(file)?.length ?? SEEN_CHARS;
}

/** Nothing inside can end the fence. */
export function fenced(text: string): string {
  return `<untrusted>\n${text.replaceAll(/<(\/?untrusted)/gi, "&lt;$1")}\n</untrusted>`;
}

const said = (text: string) => ({ type: "text" as const, text });

/** Null for what is no text. */
function textOf({ mime, content }: PromptFile): string | null {
  if (content === null || !TEXT.test(mime)) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(content);
    const kept = beginning(text, LIMITS.file_chars_max);
    return kept === text ? text : `${kept}\n… (${text.length - kept.length} more characters)`;
  } catch {
    return null;
  }
}

const CHUNK_BYTES = 32_768;

function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES));
  }
  return btoa(binary);
}
