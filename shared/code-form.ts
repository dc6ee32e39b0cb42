/** A piece of code on its way to an isolate, and its result on the way back: forms, for files are bytes. */
import * as z from "zod/mini";
import { CodeRequest, CodeResult } from "./contracts/code.ts";
import { LIMITS } from "./limits.ts";

/**
 * Such a form may be this long: three texts and a value with characters of three bytes, the files, the workspace, and what stands
 * between them and names them.
 */
export const CODE_FORM_BYTES_MAX =
  9 * (LIMITS.output_chars_max + 1) +
  3 * LIMITS.value_chars_max +
  LIMITS.file_bytes_max +
  LIMITS.sandbox_bytes_max +
  4 * 1024 * 1024;

/** Writes the form. Its files are blobs in the order of their paths. */
export function encodeCodeRequest({ files, ...request }: CodeRequest): FormData {
  const form = new FormData();
  const paths = files.map(({ path }) => path);
  form.append("request", new Blob([JSON.stringify({ ...request, paths })]));
  for (const { content } of files) form.append("file", new Blob([content.slice()]));
  return form;
}

const RequestHead = z.extend(z.omit(CodeRequest, { files: true }), { paths: z.array(z.string()) });

/** Reads the form, or the JSON of a version before. Throws at anything else. */
export async function decodeCodeRequest(message: Request | Response): Promise<CodeRequest> {
  if (message.headers.get("content-type")?.startsWith("multipart/form-data") !== true)
    return CodeRequest.parse(await message.json());
  const form = await message.formData();
  const { paths, ...request } = RequestHead.parse(JSON.parse((await readText(form.get("request"))) ?? ""));
  const contents = await readAll(form.getAll("file"));
  return { ...request, files: paths.map((path, index) => ({ path, content: contents[index] ?? NOTHING })) };
}

/** Writes the form. Everything is a blob in it, for a form's plain texts lose their line ends, and its file names their quotes. */
export function encodeCodeForm(result: CodeResult): FormData {
  const form = new FormData();
  const add = (field: string, text: string) => form.append(field, new Blob([text]));
  form.set("kind", result.kind);
  if (result.kind === "syntax_error") add("message", result.message);
  if (result.kind !== "done") return form;
  add("printed", result.printed);
  if (result.value !== null) {
    add("value", result.value.shown);
    if (result.value.json !== null) add("json", result.value.json);
  }
  if (result.error !== null) add("error", result.error);
  for (const { name, mime, content } of result.files) {
    add("name", name);
    form.append("file", new Blob([content.slice()], { type: mime }));
  }
  // No JSON: in an isolate, the code may have replaced whatever writes it.
  for (const { path, content } of result.changes) {
    add(content === null ? "gone" : "written", path);
    if (content !== null) form.append("content", new Blob([content.slice()]));
  }
  return form;
}

/** Reads it. Null: it is none, or it holds more than a piece of code may bring back. */
export async function decodeCodeForm(form: FormData): Promise<CodeResult | null> {
  const files = form.getAll("file");
  const written = form.getAll("content");
  if (files.length > LIMITS.files_per_call_max || sizeOf(files) > LIMITS.file_bytes_max) return null;
  if (sizeOf(written) > LIMITS.sandbox_bytes_max) return null;
  const names = form.getAll("name");
  const contents = await readAll(files);
  const made = contents.map(async (content, index) => {
    const file = files[index];
    return {
      name: (await readText(names[index])) ?? "",
      mime: file instanceof Blob ? file.type : "",
      content,
    };
  });
  const shown = await readText(form.get("value"));
  const parsed = CodeResult.safeParse({
    kind: form.get("kind"),
    message: await readText(form.get("message")),
    printed: await readText(form.get("printed")),
    value: shown === null ? null : { shown, json: await readText(form.get("json")) },
    error: await readText(form.get("error")),
    files: await Promise.all(made),
    changes: await readChanges(form, await readAll(written)),
  });
  return parsed.success ? parsed.data : null;
}

async function readChanges(form: FormData, contents: readonly Uint8Array[]) {
  const read = (field: string) =>
    Promise.all(form.getAll(field).map(async (entry) => (await readText(entry)) ?? ""));
  const paths = await read("written");
  const gone = await read("gone");
  return [
    ...paths.map((path, index) => ({ path, content: contents[index] })),
    ...gone.map((path) => ({ path, content: null })),
  ];
}

const NOTHING = new Uint8Array();
type Entry = File | string | null | undefined;

const sizeOf = (entries: readonly Entry[]) =>
  entries.reduce((sum, entry) => sum + (entry instanceof Blob ? entry.size : 0), 0);

function readAll(entries: readonly Entry[]): Promise<Uint8Array<ArrayBuffer>[]> {
  return Promise.all(
    entries.map(async (entry) =>
      entry instanceof Blob ? new Uint8Array(await entry.arrayBuffer()) : NOTHING.slice(),
    ),
  );
}

async function readText(entry: Entry): Promise<string | null> {
  return entry instanceof Blob ? entry.text() : null;
}
