/** A file over HTTP: whole, in ranges, or not again for whoever has it. */
import type { Context } from "hono";
import type { StoredFile } from "../../../shared/contracts/file.ts";
import { readFile } from "../../../shared/files.ts";
import type { Env } from "../env.ts";
import { HttpProblem } from "../problem.ts";
import { parseRange } from "./range.ts";

/** The file, or the part of it that is asked for. Throws `missing` when R2 has it no more. */
export async function answerWithFile(
  c: Context<{ Bindings: Env }>,
  { sha256, name, mime, bytes }: StoredFile,
  { missing, cache }: { missing: HttpProblem; cache: string },
): Promise<Response> {
  const etag = `"${sha256}"`;
  const headers = {
    etag,
    "accept-ranges": "bytes",
    "content-type": mime,
    // Made by code that nobody trusts: it is to be saved, and never to run as a page of this address.
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    // Not even compressed: ranges count the bytes as they are.
    "cache-control": `${cache}, no-transform`,
  };
  const known = (c.req.header("if-none-match") ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
  if (known.includes(etag) || known.includes("*")) return new Response(null, { status: 304, headers });
  const isSame = (c.req.header("if-range") ?? etag) === etag;
  const range = parseRange(isSame ? c.req.header("range") : undefined, bytes);
  if (range.kind === "outside") {
    const facts = { status: 416 as const, title: "Not in the file", detail: `It has ${bytes} bytes.` };
    throw new HttpProblem(facts, { "content-range": `bytes */${bytes}` });
  }
  const object = await readFile(c.env.FILES, sha256, range.kind === "part" ? range : undefined);
  if (object === null) throw missing;
  if (range.kind === "whole")
    return new Response(object.body, { headers: { ...headers, "content-length": String(bytes) } });
  const { offset, length } = range;
  const part = {
    "content-length": String(length),
    "content-range": `bytes ${offset}-${offset + length - 1}/${bytes}`,
  };
  return new Response(object.body, { status: 206, headers: { ...headers, ...part } });
}
