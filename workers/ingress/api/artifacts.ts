/** The files that tasks made: whole or in ranges, for whoever has a key or a link that is signed and not too old. */
import { type Context, Hono } from "hono";
import { readTimings } from "../../../shared/config.ts";
import type { Artifact } from "../../../shared/contracts/api.ts";
import { equalInConstantTime, sign } from "../../../shared/signature.ts";
import { findArtifact, findLinkedArtifact } from "../../../shared/store/artifacts.ts";
import type { Env } from "../env.ts";
import { HttpProblem, notFound } from "../problem.ts";
import type { StoredArtifact } from "../../../shared/store/statements/artifacts.ts";
import type { Caller } from "../../../shared/store/statements/guards.ts";
import { authenticate, unwrapOutcome } from "./caller.ts";
import { answerWithFile } from "./answer-with-file.ts";
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
  const missing = notFound("artifact", NO_ARTIFACT);
  return answerWithFile(c, unwrapOutcome(found, "artifact", NO_ARTIFACT), {
    missing,
    cache: "private, max-age=3600",
  });
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
