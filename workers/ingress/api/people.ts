/** Who may talk, over HTTP: list, admit by the code that a stranger was told, dismiss. `npm run pair` speaks to it. */
import { Hono } from "hono";
import { Admission, type Admitted, type Dismissed, type PeoplePage } from "../../../shared/contracts/api.ts";
import { log } from "../../../shared/log.ts";
import { admitByCode, dismissPerson, listPeople } from "../../../shared/store/people.ts";
import type { Env } from "../env.ts";
import { authenticate, unwrapOutcome } from "./caller.ts";
import { readJson } from "./request.ts";
import { formatTime } from "./view.ts";

export const people = new Hono<{ Bindings: Env }>();

people.get("/", async (c) => {
  const { keyHash } = await authenticate(c);
  const known = unwrapOutcome(await listPeople(c.env.DB, keyHash), "list");
  return c.json<PeoplePage>({
    people: known.map(({ channel, external_id, role, created_at }) => ({
      id: `${channel}:${external_id}`,
      role,
      since: formatTime(created_at),
    })),
  });
});

people.post("/admit", async (c) => {
  const { keyHash } = await authenticate(c);
  const { code, role = "member" } = await readJson(c, () => Admission);
  const admission = { keyHash, code: code.toUpperCase(), role };
  const person = unwrapOutcome(
    await admitByCode(c.env.DB, admission, Date.now()),
    "code",
    "Nobody waits with this code. A code admits once; whoever writes again without being admitted keeps theirs.",
  );
  const id = `${person.channel}:${person.external_id}`;
  log("info", { stage: "ingress", effect: "admitted", person: id, role });
  return c.json<Admitted>({ admitted: { id, role } });
});

people.delete("/:id", async (c) => {
  const { keyHash } = await authenticate(c);
  const [channel = "", externalId = ""] = c.req.param("id").split(":");
  const id = `${channel}:${externalId}`;
  const gone = await dismissPerson(c.env.DB, { keyHash, channel, externalId }, Date.now());
  unwrapOutcome(gone, "person", `Nobody is on the list as ${id}.`);
  log("info", { stage: "ingress", effect: "dismissed", person: id });
  return c.json<Dismissed>({ dismissed: { id } });
});
