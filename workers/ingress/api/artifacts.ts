/** The files that tasks made: whole or in ranges, for whoever has a key or a link that is signed and not too old. */
import { type Context, Hono } from "hono";
import { readTimings } from "../../../shared/config.ts";
import type { Artifact } from "../../../shared/contracts/api.ts";
import type { StoredFile } from "../../../shared/contracts/file.ts";
import { readFile } from "../../../shared/files.ts";
import { equalInConstantTime, sign } from "../../../shared/signature.ts";
import { findArtifact, findLinkedArtifact } from "../../../shared/store/artifacts.ts";
import type { Env } from "../env.ts";
import { HttpProblem, notFound } from "../problem.ts";
import type { StoredArtifact } from "../../../shared/store/statements/artifacts.ts";
import type { Caller } from "../../../shared/store/statements/guards.ts";
import { authenticate, unwrapOutcome } from "./caller.ts";
import { parseRange } from "./range.ts";
import { makeArtifactId } from "./view.ts";

/** A task's files, with their links. */
export async function buildArtifactViews(
  env: Env,
  taskId: string,
  files: readonly StoredArtifact[],
): Promise<Artifact[]> {
  const expires = Date.now() + readTimings(env).artifact_link_ms;
  return Promise.all(
    files.map(async (file) => {
      const { name, mime, bytes } = file;
      const id = makeArtifactId(taskId, file);
      const self = `/v1/artifacts/${id}`;
      return { id, name, mime, bytes, links: { self, signed: await signLink(env, id, expires) } };
    }),
  );
}

async function signLink(env: Env, id: string, expires: number): Promise<string | null> {
  const secret = env.ERRAND_LINK_SECRET;
  if (!secret) return null;
  return `/v1/artifacts/${id}?expires=${expires}&signature=${await sign(`${id}.${expires}`, secret)}`;
}

const NO_ARTIFACT = "Your tenant has no artifact with this id.";

const ID = /^art_([0-9a-z]{26})_(\d{1,4})\.(\d{1,4})\.(\d{1,4})$/;

export const artifacts = new Hono<{ Bindings: Env }>();

artifacts.get("/:id", async (c) => {
  const id = c.req.param("id");
  const permission = await checkPermission(c, id);
  const [, task, turn, call, position] = ID.exec(id) ?? [];
  if (task === undefined) throw notFound("artifact", NO_ARTIFACT);
  const key = { taskId: `task_${task}`, turn: Number(turn), call: Number(call), position: Number(position) };
  const found =
    permission.kind === "link"
      ? await findLinkedArtifact(c.env.DB, key)
      : await findArtifact(c.env.DB, key, permission.caller);
  return send(c, unwrapOutcome(found, "artifact", NO_ARTIFACT));
});

/** Who has a key may see what is their tenant's; a good link opens the one thing that it names. */
type Permission = { kind: "key"; caller: Caller } | { kind: "link" };

async function checkPermission(c: Context<{ Bindings: Env }>, id: string): Promise<Permission> {
  const { expires, signature } = c.req.query();
  if (signature === undefined) return { kind: "key", caller: await authenticate(c, "tasks", "tasks:read") };
  const secret = c.env.ERRAND_LINK_SECRET;
  if (!secret) {
    const detail =
      "Links cannot be checked without it. Set it in .dev.vars, or with `wrangler secret put ERRAND_LINK_SECRET -c wrangler/ingress.jsonc`.";
    throw new HttpProblem({ status: 503, title: "ERRAND_LINK_SECRET is not set", detail });
  }
  const isOurs = await equalInConstantTime(signature, await sign(`${id}.${expires}`, secret));
  if (isOurs && Number(expires) > Date.now()) return { kind: "link" };
  const detail = isOurs ? "It has expired." : "Its signature is not ours.";
  throw new HttpProblem({
    status: 403,
    title: "The link is not good",
    detail: `${detail} The task's API answer has a new one.`,
  });
}

async function send(
  c: Context<{ Bindings: Env }>,
  { sha256, name, mime, bytes }: StoredFile,
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
    "cache-control": "private, max-age=3600, no-transform",
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
  if (object === null) throw notFound("artifact", NO_ARTIFACT);
  if (range.kind === "whole")
    return new Response(object.body, { headers: { ...headers, "content-length": String(bytes) } });
  const { offset, length } = range;
  const part = {
    "content-length": String(length),
    "content-range": `bytes ${offset}-${offset + length - 1}/${bytes}`,
  };
  return new Response(object.body, { status: 206, headers: { ...headers, ...part } });
}
