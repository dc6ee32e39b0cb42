/** What a call brought back, kept: files, images for the model, and of a long text its ends as words and the whole as a file. */
import type { NewFile, StoredFile } from "../../shared/contracts/file.ts";
import type { Outcome } from "../../shared/contracts/tool.ts";
import { keepFile, formatSize } from "../../shared/files.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { CallKey } from "../../shared/contracts/turn.ts";
import { cutMiddle, LEFT_OUT_UNITS } from "../../shared/text.ts";
import type { ToolResult } from "./tools/tool.ts";

/** Keeps them in R2; the words say which files there are. Throws when R2 does not take them. */
export async function keepResult(
  bucket: R2Bucket,
  { turn, call }: CallKey,
  { parts, value, error }: ToolResult,
): Promise<Outcome> {
  const output = parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
  const made = parts.flatMap((part) => (part.type === "file" ? [part.file] : []));
  const seen = parts.flatMap((part) => (part.type === "image" ? [part.image] : []));
  const text = joinLines(output, error ?? value?.shown ?? "");
  // A value that is too long for programs is in the file as it is shown.
  const isLong = text.length > LIMITS.observation_chars_max || value?.json === null;
  const most = cutMiddle(text, LIMITS.output_chars_max);
  const whole = isLong ? [outputFile(`output-${turn}.${call}.txt`, most)] : [];
  const files = await Promise.all([...whole, ...made].map((file) => keepFile(bucket, file)));
  // What is as long as may be was cut before, by whoever has brought it.
  const isWhole = text.length < LIMITS.output_chars_max - LEFT_OUT_UNITS;
  const attached = isWhole ? "the whole is" : "of it, its beginning and its end are";
  const cutNote = `\n… (${attached} attached)`;
  const images = await Promise.all(
    seen.slice(0, LIMITS.files_per_call_max).map((image) => keepFile(bucket, image)),
  );
  const unseen = seen.length - images.length;
  const missing = unseen > 0 ? `(${unseen} more images are left out)` : "";
  return {
    ok: error === null,
    text: [bound(text, cutNote), listFiles(files), missing].filter((part) => part !== "").join("\n\n"),
    images,
    output: bound(output, cutNote),
    value: value?.json ?? null,
    error: error === null ? null : bound(error, cutNote),
    files,
  };
}

const joinLines = (...parts: readonly string[]) => parts.filter((part) => part !== "").join("\n");

function listFiles(files: readonly StoredFile[]): string {
  if (files.length === 0) return "";
  const names = files.map(({ name, mime, bytes }) => `- ${name} (${mime}, ${formatSize(bytes)})`);
  return `Attached to the answer (${LIMITS.artifacts_per_task_max} files at most):\n${names.join("\n")}`;
}

function outputFile(name: string, text: string): NewFile {
  return { name, mime: "text/plain; charset=utf-8", content: new TextEncoder().encode(text).slice() };
}

/** Room for what is said of it stays within the bound. */
const ROOM_CHARS = 1_000;

/** The text, or its beginning and its end with what is said of the rest: what went wrong stands at the end. */
function bound(text: string, cutNote: string): string {
  if (text.length <= LIMITS.observation_chars_max) return text;
  return `${cutMiddle(text, LIMITS.observation_chars_max - ROOM_CHARS)}${cutNote}`;
}
