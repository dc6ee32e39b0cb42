/** The files that code saved, as they leave its isolate. */
import { decodeBase64 } from "hono/utils/encode";
import { getMimeType } from "hono/utils/mime";
import * as z from "zod/mini";
import type { NewFile } from "../../shared/contracts/file.ts";
import { cleanName } from "../../shared/files.ts";
import { LIMITS } from "../../shared/limits.ts";

/** As the harness writes it: the code shares the isolate with it, so nothing of it is believed. */
export const MadeFile = z.object({
  name: z.string(),
  base64: z.string().check(z.maxLength(Math.ceil(LIMITS.file_bytes_max / 3) * 4 + 4)),
});
type MadeFile = z.infer<typeof MadeFile>;

const OTHER = "application/octet-stream";

/** Its type is told by its name; bytes that were returned without one are named by how they begin. */
export function newFileOf({ name, base64 }: MadeFile): NewFile {
  const content = decodeBase64(base64);
  const named = cleanName(name === "" ? `result.${extensionOf(content)}` : name);
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

function extensionOf(content: Uint8Array): string {
  const beginning = String.fromCharCode(...content.subarray(0, SIGNATURE_BYTES_MAX));
  return SIGNATURES.find(({ begins }) => beginning.startsWith(begins))?.extension ?? "bin";
}
