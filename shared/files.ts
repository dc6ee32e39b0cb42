/** Files in R2, by the hash of their content: whoever keeps one twice has kept it once. */
import type { NewFile, StoredFile } from "./contracts/file.ts";
import { sha256Hex } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { truncate } from "./text.ts";

export const FILES_PREFIX = "files/";
const makeKey = (sha256: string) => `${FILES_PREFIX}${sha256}`;

/** Keeps a file under the hash of its content. Throws when R2 does not take it. */
export async function keepFile(bucket: R2Bucket, { name, mime, content }: NewFile): Promise<StoredFile> {
  const sha256 = await sha256Hex(content);
  await bucket.put(makeKey(sha256), content, { sha256, httpMetadata: { contentType: mime } });
  return { sha256, name: cleanName(name), mime, bytes: content.byteLength };
}

/** The content, or a part of it; null when R2 has it no more. */
export function readFile(
  bucket: R2Bucket,
  sha256: string,
  range?: { offset: number; length: number },
): Promise<R2ObjectBody | null> {
  return bucket.get(makeKey(sha256), range === undefined ? {} : { range });
}

/** A name as any system can have it: without a path, and without what could be taken for markup or for a header. */
export function cleanName(name: string): string {
  const last = name.slice(name.search(/[^/\\]*$/));
  const clean = last
    .replace(/[^\p{L}\p{N} ._()-]/gu, "_")
    .replace(/^[. ]+/, "")
    .trim();
  if (clean.length <= LIMITS.file_name_chars_max) return clean || "file";
  const [extension = ""] = /\.\w{1,8}$/.exec(clean) ?? [];
  return `${truncate(clean, LIMITS.file_name_chars_max - extension.length)}${extension}`;
}

/** For people: `12 KiB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1_024) return `${bytes} byte${bytes === 1 ? "" : "s"}`;
  return bytes < 1_024 ** 2 ? `${Math.round(bytes / 1_024)} KiB` : `${(bytes / 1_024 ** 2).toFixed(1)} MiB`;
}
