/** `/v1/conversations/:name/files`: the workspace of a program's conversation, listed, read, written, deleted. */
import { type Context, Hono } from "hono";
import { getMimeType } from "hono/utils/mime";
import type { FileList, FileView } from "../../../shared/contracts/api.ts";
import { cleanName, keepFile } from "../../../shared/files.ts";
import { deriveId } from "../../../shared/ids.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { changeProgramFiles, listProgramFiles, type Place } from "../../../shared/store/program-files.ts";
import { ANYTHING, type PathChange, type WorkspaceFile } from "../../../shared/store/workspace.ts";
import { findClash, normalizePath, PATH_WORDS, WORKSPACE_FULL } from "../../../shared/workspace-paths.ts";
import type { Env } from "../env.ts";
import { HttpProblem, notFound } from "../problem.ts";
import { authenticate, unwrapOutcome } from "./caller.ts";
import { answerWithFile } from "./answer-with-file.ts";

type Api = Context<{ Bindings: Env }>;

const OTHER = "application/octet-stream";
const MIME = /^[\w.+-]+\/[\w.+-]+( *; *[\w.+-]+=("[^"]*"|[\w.+-]+))*$/;
/** What clients say where nobody has told them. */
const UNSAID = /^(application\/(x-www-form-urlencoded|octet-stream)|text\/plain;charset=utf-8)$/;
const NO_FILE = "The conversation has no file at this path.";

export const files = new Hono<{ Bindings: Env }>();

files.get("/:name/files", async (c) => {
  const place = await readPlace(c);
  const found = unwrapOutcome(await listProgramFiles(c.env.DB, place), "list");
  return c.json<FileList>({ files: found.map(view) });
});

files.get("/:name/files/:path{.+}", async (c) => {
  const file = await find(c, await readPlace(c));
  const named = { ...file, name: cleanName(file.path) };
  // Another may be there at any time.
  return answerWithFile(c, named, { missing: notFound("file", NO_FILE), cache: "no-cache" });
});

files.put("/:name/files/:path{.+}", async (c) => {
  const place = await readPlace(c);
  const path = readPath(c);
  const known = unwrapOutcome(await listProgramFiles(c.env.DB, place), "list");
  const clash = findClash(
    known.map((file) => file.path),
    path,
  );
  if (clash !== null) {
    const detail = `${clash} stands in the way: a path is a file's or a folder's.`;
    throw new HttpProblem({ status: 409, title: "Something else is there", detail });
  }
  const content = await readContent(c);
  const mime = readMime(c, path);
  const { sha256, bytes } = await keepFile(c.env.FILES, { name: path, mime, content });
  const before = known.find((one) => one.path === path);
  const file = { sha256, bytes, mime, message_id: null };
  await change(c, place, { path, base: readBase(c, before), file });
  return c.json<FileView>(view({ path, ...file }), before === undefined ? 201 : 200);
});

files.delete("/:name/files/:path{.+}", async (c) => {
  const place = await readPlace(c);
  const file = await find(c, place);
  await change(c, place, { path: file.path, base: readBase(c, file), file: null });
  return c.json<FileView>(view(file));
});

async function readPlace(c: Api): Promise<Place> {
  const caller = await authenticate(c, "tasks");
  const { tenantId } = caller;
  const name = c.req.param("name") ?? "";
  if (name.length > LIMITS.conversation_name_chars_max) throw notFound("conversation", NO_FILE);
  // The same as a task's that names its conversation.
  return { caller, tenantId, conversationId: await deriveId("conv", tenantId, "api", name, "named") };
}

function readPath(c: Api): string {
  const path = normalizePath(c.req.param("path") ?? "");
  if (path !== null) return path;
  const errors = [{ path: "path", message: PATH_WORDS }];
  throw new HttpProblem({ status: 400, title: "Invalid request", detail: "See `errors`.", errors });
}

async function find(c: Api, place: Place): Promise<WorkspaceFile> {
  const path = readPath(c);
  const known = unwrapOutcome(await listProgramFiles(c.env.DB, place), "list");
  const file = known.find((one) => one.path === path);
  if (file === undefined) throw notFound("file", NO_FILE);
  return file;
}

/** `If-Match: "<sha256>"`, `If-Match: *` and `If-None-Match: *` say what must be there; without them it does not matter. */
function readBase(c: Api, before: WorkspaceFile | undefined): string | null {
  if (c.req.header("if-none-match") === "*") return null;
  const wanted = c.req.header("if-match");
  if (wanted === undefined) return ANYTHING;
  const etags = wanted.split(",").map((one) => one.trim());
  // What is there now, if it is one of these; else something that is nowhere.
  const isWanted = before !== undefined && (etags.includes("*") || etags.includes(`"${before.sha256}"`));
  return isWanted ? before.sha256 : wanted;
}

/** As it is said; by the file's name where nothing, or what clients say of anything, is said. */
function readMime(c: Api, path: string): string {
  const mime = c.req.header("content-type")?.toLowerCase() ?? "";
  const isSaid = MIME.test(mime) && mime.length <= LIMITS.mime_chars_max && !UNSAID.test(mime);
  return isSaid ? mime : (getMimeType(path) ?? OTHER);
}

/** Read no further than a file may be long. */
async function readContent(c: Api): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = new HttpProblem({
    status: 413,
    title: "Too large",
    detail: `A file may have ${LIMITS.file_bytes_max} bytes.`,
  });
  if (Number(c.req.header("content-length") ?? 0) > LIMITS.file_bytes_max) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > LIMITS.file_bytes_max) throw tooLarge;
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

async function change(c: Api, place: Place, one: PathChange): Promise<void> {
  const changed = unwrapOutcome(
    await changeProgramFiles(c.env.DB, place, [one]),
    "conversation",
    "It is another key's.",
  );
  if (changed.kind === "conflict") {
    const detail = "The file is another by now, or is there no more: read it again.";
    throw new HttpProblem({ status: 412, title: "Changed meanwhile", detail });
  }
  if (changed.kind === "full")
    throw new HttpProblem({ status: 409, title: "The workspace is full", detail: `${WORKSPACE_FULL}.` });
}

const view = ({ path, bytes, mime, sha256 }: WorkspaceFile): FileView => ({ path, bytes, mime, sha256 });
