/** Files: kept by their content, known to people by their names. */
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";

export const StoredFile = z.object({
  /** Of the content, in hex: where it lies in R2. */
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  name: z.string().check(z.minLength(1), z.maxLength(LIMITS.file_name_chars_max)),
  mime: z.string(),
  bytes: z.int(),
});
export type StoredFile = z.infer<typeof StoredFile>;

export const storedFileExample: StoredFile = {
  sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  name: "chart.png",
  mime: "image/png",
  bytes: 12_345,
};

/** A file that somebody has sent, as the platform tells of it. */
export const ReceivedFile = z.object({
  kind: z.enum(["photo", "document"]),
  /** The platform's own id, by which it is fetched. */
  id: z.string().check(z.minLength(1), z.maxLength(500)),
  name: z.string().check(z.maxLength(LIMITS.file_name_chars_max)),
  mime: z.string().check(z.maxLength(200)),
});
export type ReceivedFile = z.infer<typeof ReceivedFile>;

export const receivedFileExample: ReceivedFile = {
  kind: "document",
  id: "BQADBAADBQADGgcAAU8gWQABAg",
  name: "invoice.pdf",
  mime: "application/pdf",
};

/** A file that is not kept yet. */
export const NewFile = z.object({
  name: z.string(),
  mime: z.string(),
  content: z.instanceof(Uint8Array),
});
export type NewFile = z.infer<typeof NewFile>;
