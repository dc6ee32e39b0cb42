/** Who may talk, over HTTP: list, admit by the code that a stranger was told, dismiss, forget. `npm run pair` and `npm run people` speak to it. */
import { Hono } from "hono";
import {
  Admission,
  type Admitted,
  type Dismissed,
  type Forgotten,
  type PeoplePage,
} from "../../../shared/contracts/api.ts";
import { readTimings } from "../../../shared/config.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import { log } from "../../../shared/log.ts";
import { admitByCode, dismissPerson, listPeople } from "../../../shared/store/people.ts";
import type { Forgetting } from "../../../shared/store/find-theirs.ts";
import { forgetPerson } from "../../../shared/store/forget-person.ts";
import { areSettled, stopTheirTasks } from "../../../shared/store/stop-theirs.ts";
import { STOPPED, UNREAD_TEXT } from "../../../shared/strings.ts";
import { getBells, type Env } from "../env.ts";
import { authenticate, unwrapOutcome } from "./caller.ts";
import { readJson } from "./request.ts";
import { formatTime } from "./view.ts";

const PSEUDONYM_CHARS = 8;

export const people = new Hono<{ Bindings: Env }>();

people.get("/", async (c) => {
  const caller = await authenticate(c, "people");
  const known = unwrapOutcome(await listPeople(c.env.DB, caller), "list");
  return c.json<PeoplePage>({
    people: known.map(({ channel, external_id, role, created_at }) => ({
      id: `${channel}:${external_id}`,
      role,
      since: formatTime(created_at),
    })),
  });
});

people.post("/admit", async (c) => {
  const caller = await authenticate(c, "people");
  const { code, role = "member" } = await readJson(c, () => Admission);
  const admission = { caller, code: code.toUpperCase(), role };
  const person = unwrapOutcome(
    await admitByCode(c.env.DB, admission, Date.now()),
    "code",
    "Nobody waits with this code. A code admits once; whoever writes again without being admitted keeps theirs.",
  );
  const id = `${person.channel}:${person.external_id}`;
  log("info", { stage: "ingress", effect: "admitted", person: id, role });
  return c.json<Admitted>({ admitted: { id, role } });
});

/** `telegram:218485655`. */
function readId(id: string) {
  const colon = id.indexOf(":");
  return { id, channel: id.slice(0, Math.max(0, colon)), externalId: id.slice(colon + 1) };
}

people.delete("/:id", async (c) => {
  const caller = await authenticate(c, "people");
  const { id, channel, externalId } = readId(c.req.param("id"));
  const gone = await dismissPerson(c.env.DB, { caller, channel, externalId }, Date.now());
  unwrapOutcome(gone, "person", `Nobody is on the list as ${id}.`);
  log("info", { stage: "ingress", effect: "dismissed", person: id });
  return c.json<Dismissed>({ dismissed: { id } });
});

const TOLD_MS_MAX = 8_000;
const TOLD_POLL_MS = 200;

/** What runs for them is stopped and, if that comes to it in time, seen to be so, before nobody knows any more where it was shown. */
async function stopAndTell(env: Env, person: Forgetting, nobody: string): Promise<void> {
  const timings = readTimings(env);
  const texts = { text: STOPPED, unreadText: UNREAD_TEXT };
  const outcome = await stopTheirTasks(env.DB, person, texts, Date.now(), timings);
  const { replyIds, doorbells } = unwrapOutcome(outcome, "person", nobody);
  await ring(getBells(env), doorbells, "ingress");
  const until = Date.now() + TOLD_MS_MAX;
  while (replyIds.length > 0 && Date.now() < until && !(await areSettled(env.DB, replyIds)))
    await scheduler.wait(TOLD_POLL_MS);
}

people.post("/:id/forget", async (c) => {
  const caller = await authenticate(c, "people");
  const { id, channel, externalId } = readId(c.req.param("id"));
  // Drawn anew: what could be computed from an id, anybody could compute.
  const pseudonym = `${channel}:#${crypto.randomUUID().slice(0, PSEUDONYM_CHARS)}`;
  const forgetting = { caller, channel, externalId, pseudonym };
  const nobody = `Nothing is kept of ${id}.`;
  await stopAndTell(c.env, forgetting, nobody);
  const outcome = await forgetPerson(c.env.DB, forgetting, Date.now(), readTimings(c.env));
  const { doorbells, ...counts } = unwrapOutcome(outcome, "person", nobody);
  c.executionCtx.waitUntil(ring(getBells(c.env), doorbells, "ingress"));
  log("info", { stage: "ingress", effect: "forgotten", person: pseudonym, ...counts });
  return c.json<Forgotten>({ forgotten: { id, ...counts } });
});
