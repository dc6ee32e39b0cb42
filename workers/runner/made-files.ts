/** The files that code saved, as they leave the runner: with names and types that can be trusted. */
import { getMimeType } from "hono/utils/mime";
import type { NewFile } from "../../shared/contracts/file.ts";
import { cleanName } from "../../shared/files.ts";

const OTHER = "application/octet-stream";

/** A file's type is told by its name; bytes that were returned without one are named by how they begin. */
export function sanitizeFile({ name, content }: NewFile): NewFile {
  const named = cleanName(name === "" ? `result.${guessExtension(content)}` : name);
  return { name: named, mime: getMimeType(named) ?? OTHER, content };
}

/** https://en.wikipedia.org/wiki/List_of_file_signatures */
const SIGNATURES = [
  { extension: "png", begins: "\u0089PNG\r\n" },
  { extension: "jpg", begins: "\u00ff\u00d8\u00ff" },
  { extension: "gif", begins: "GIF8" },
  { extension: "pdf", begins: "%PDF-" },
  { extension: "zip", begins: "PK\u0003\u0004" },
  { extension: "svg", begins: "<svg" },
];
const SIGNATURE_BYTES_MAX = 8;

function guessExtension(content: Uint8Array): string {
  const beginning = String.fromCharCode(...content.subarray(0, SIGNATURE_BYTES_MAX));
  return SIGNATURES.find(({ begins }) => beginning.startsWith(begins))?.extension ?? "bin";
}
