/** Who may talk, over HTTP: list, admit by the code that a stranger was told, dismiss. `npm run pair` speaks to it. */
import { Hono } from "hono";
import * as z from "zod/mini";
import { log } from "../../../shared/log.ts";
import { admitByCode, dismiss, listPeople, Role } from "../../../shared/store/people.ts";
import type { Env } from "../env.ts";
import { problem } from "../problem.ts";
import { callerOf, unauthorized } from "./caller.ts";
import { readJson } from "./request.ts";

const Admission = z.strictObject({
  code: z.string().check(z.minLength(1), z.maxLength(20)),
  role: z.optional(Role),
});

export const people = new Hono<{ Bindings: Env }>();

people.get("/", async (c) => {
  const caller = await callerOf(c);
  if (caller === null) return unauthorized();
  const known = await listPeople(c.env.DB, caller.keyHash);
  if (known === "unauthorized") return unauthorized();
  return c.json({
    people: known.map(({ channel, external_id, role, created_at }) => ({
      id: `${channel}:${external_id}`,
      role,
      since: new Date(created_at).toISOString(),
    })),
  });
});

people.post("/admit", async (c) => {
  const caller = await callerOf(c);
  if (caller === null) return unauthorized();
  const body = await readJson(c, () => Admission);
  if (body instanceof Response) return body;
  const { code, role = "member" } = body;
  const person = await admitByCode(
    c.env.DB,
    { keyHash: caller.keyHash, code: code.toUpperCase(), role },
    Date.now(),
  );
  if (person === "unauthorized") return unauthorized();
  if (person === undefined) {
    const detail =
      "Nobody waits with this code. A code admits once; whoever writes again without being admitted keeps theirs.";
    return problem({ status: 404, title: "No such code", detail });
  }
  const id = `${person.channel}:${person.external_id}`;
  log("info", { stage: "ingress", effect: "admitted", person: id, role });
  return c.json({ admitted: { id, role } });
});

people.delete("/:id", async (c) => {
  const caller = await callerOf(c);
  if (caller === null) return unauthorized();
  const [channel = "", externalId = ""] = c.req.param("id").split(":");
  const gone = await dismiss(c.env.DB, { keyHash: caller.keyHash, channel, externalId }, Date.now());
  if (gone === "unauthorized") return unauthorized();
  const id = `${channel}:${externalId}`;
  if (!gone)
    return problem({ status: 404, title: "No such person", detail: `Nobody is on the list as ${id}.` });
  log("info", { stage: "ingress", effect: "dismissed", person: id });
  return c.json({ dismissed: { id } });
});
