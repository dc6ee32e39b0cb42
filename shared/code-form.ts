/** The result of a piece of code as a form, on its way from the isolate to the runner and from there to the executor: files are bytes. */
import { CodeResult } from "./contracts/code.ts";
import { LIMITS } from "./limits.ts";

/** Such a form may be this long: three texts and a value with characters of three bytes, the files, and what stands between them. */
export const CODE_FORM_BYTES_MAX =
  9 * (LIMITS.output_chars_max + 1) + 3 * LIMITS.value_chars_max + LIMITS.file_bytes_max + 64 * 1024;

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
  return form;
}

/** Reads it. Null: it is none, or it holds more than a piece of code may bring back. */
export async function decodeCodeForm(form: FormData): Promise<CodeResult | null> {
  const blobs = form.getAll("file").filter((entry) => entry instanceof Blob);
  const names = form.getAll("name");
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  if (blobs.length > LIMITS.files_per_call_max || bytes > LIMITS.file_bytes_max) return null;
  const files = blobs.map(async (blob, index) => ({
    name: (await readText(names[index])) ?? "",
    mime: blob.type,
    content: new Uint8Array(await blob.arrayBuffer()),
  }));
  const shown = await readText(form.get("value"));
  const parsed = CodeResult.safeParse({
    kind: form.get("kind"),
    message: await readText(form.get("message")),
    printed: await readText(form.get("printed")),
    value: shown === null ? null : { shown, json: await readText(form.get("json")) },
    error: await readText(form.get("error")),
    files: await Promise.all(files),
  });
  return parsed.success ? parsed.data : null;
}

async function readText(entry: File | string | null | undefined): Promise<string | null> {
  return entry instanceof Blob ? entry.text() : null;
}
