/** What a call brought back, kept: files, images for the model, and of a long text the beginning as words and the whole as a file. */
import type { NewFile, StoredFile } from "../../shared/contracts/file.ts";
import type { Observation } from "../../shared/contracts/tool.ts";
import { keepFile, formatSize } from "../../shared/files.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { CallKey } from "../../shared/contracts/turn.ts";
import { truncate } from "../../shared/text.ts";
import type { ToolResult } from "./tools/tool.ts";

/** Keeps them in R2; the words say which files there are. Throws when R2 does not take them. */
export async function keepResult(
  bucket: R2Bucket,
  { turn, call }: CallKey,
  { ok, parts }: ToolResult,
): Promise<Observation & { files: StoredFile[] }> {
  const text = parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
  const files = parts.flatMap((part) => (part.type === "file" ? [part.file] : []));
  const seen = parts.flatMap((part) => (part.type === "image" ? [part.image] : []));
  const isLong = text.length > LIMITS.observation_chars_max;
  const most = truncate(text, LIMITS.output_chars_max);
  const whole = isLong ? [outputFile(`output-${turn}.${call}.txt`, most)] : [];
  const all = await Promise.all([...whole, ...files].map((file) => keepFile(bucket, file)));
  // The same content is one file, whatever else it is called.
  const kept = all.filter(({ sha256 }, index) => all.findIndex((one) => one.sha256 === sha256) === index);
  const namesOf = ({ sha256 }: StoredFile) =>
    all
      .filter((one) => one.sha256 === sha256)
      .map(({ name }) => name)
      .join(", ");
  const attached = most === text ? "the whole is" : `the first ${most.length} characters are`;
  const said = isLong ? `${cut(text)}\n… (${attached} attached)` : text;
  const names = kept.map((file) => `- ${namesOf(file)} (${file.mime}, ${formatSize(file.bytes)})`);
  const list =
    kept.length > 0
      ? `Attached to the answer (${LIMITS.artifacts_per_task_max} files at most):\n${names.join("\n")}`
      : "";
  const images = await Promise.all(
    seen.slice(0, LIMITS.files_per_call_max).map((image) => keepFile(bucket, image)),
  );
  const unseen = seen.length - images.length;
  const missing = unseen > 0 ? `(${unseen} more images are left out)` : "";
  return { ok, text: [said, list, missing].filter((part) => part !== "").join("\n\n"), images, files: kept };
}

function outputFile(name: string, text: string): NewFile {
  return { name, mime: "text/plain; charset=utf-8", content: new TextEncoder().encode(text).slice() };
}

/** Room for what is said of it stays within the bound. */
const ROOM_CHARS = 1_000;
const cut = (text: string) => truncate(text, LIMITS.observation_chars_max - ROOM_CHARS);
