/** The dead-letter desk over HTTP: list, show, replay, discard. `npm run dead-letters` speaks to it. */
import { type Context, Hono } from "hono";
import { ChatChannelName } from "../../../shared/channels/index.ts";
import { readTimings } from "../../../shared/config.ts";
import type {
  DeadLetterPage,
  Discarded,
  Replayed,
  WholeDeadLetter as WholeView,
} from "../../../shared/contracts/api.ts";
import { type Doorbell, type PendingDoorbell, QueueName } from "../../../shared/contracts/doorbell.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { log } from "../../../shared/log.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import {
  discard,
  listDeadLetters,
  readDeadLetter,
  unpark,
  type WholeDeadLetter,
} from "../../../shared/store/dead-letters.ts";
import { type AcceptedInbound, receiveInbound } from "../../../shared/store/receive.ts";
import { makeInbound } from "../accept.ts";
import { getBells, type Env } from "../env.ts";
import { HttpProblem } from "../problem.ts";
import { accepted, receive } from "../receive.ts";
import { authenticate, unwrapOutcome } from "./caller.ts";
import { formatTime } from "./view.ts";

type Api = Context<{ Bindings: Env }>;

export const deadLetters = new Hono<{ Bindings: Env }>();

deadLetters.get("/", async (c) => {
  const caller = await authenticate(c, "dead-letters");
  const letters = unwrapOutcome(await listDeadLetters(c.env.DB, caller), "list");
  return c.json<DeadLetterPage>({
    dead_letters: letters.map(({ parked_at, ...letter }) => ({
      ...letter,
      parked_at: formatTime(parked_at),
    })),
  });
});

deadLetters.get("/:queue/:key", async (c) => {
  const { raw, parked_at, ...facts } = await find(c, c.req.param());
  const said = Array.isArray(raw)
    ? { raw_base64: btoa(raw.map((byte) => String.fromCharCode(byte)).join("")) }
    : { raw };
  return c.json<WholeView>({ ...facts, parked_at: formatTime(parked_at), ...said });
});

deadLetters.post("/:queue/:key/replay", async (c) => {
  const letter = await find(c, c.req.param());
  const queue = QueueName.safeParse(letter.queue);
  if (!queue.success) throw notReplayed("It was no doorbell, so there is nothing to ring. Discard it.");
  const replayed = { queue: queue.data, key: letter.key };
  const doorbells = await replay(c.env, replayed, letter);
  c.executionCtx.waitUntil(ring(getBells(c.env), doorbells, "ingress"));
  log("info", { stage: "ingress", effect: "replayed", queue: letter.queue, key: letter.key });
  return c.json<Replayed>({ replayed }, 202);
});

deadLetters.delete("/:queue/:key", async (c) => {
  const { queue, key } = await find(c, c.req.param());
  await discard(c.env.DB, { queue, key }, Date.now());
  log("info", { stage: "ingress", effect: "discarded", queue, key });
  return c.json<Discarded>({ discarded: { queue, key } });
});

async function find(c: Api, { queue, key }: { queue: string; key: string }): Promise<WholeDeadLetter> {
  const caller = await authenticate(c, "dead-letters");
  const letter = await readDeadLetter(c.env.DB, caller, { queue, key });
  return unwrapOutcome(letter, "dead letter", `Nothing is parked as ${queue}/${key}.`);
}

/** Puts a letter back to work. What came from a chat app is read again, by the receiver of today. Returns what is to be rung. */
async function replay(env: Env, doorbell: Doorbell, letter: WholeDeadLetter): Promise<PendingDoorbell[]> {
  const timings = readTimings(env);
  const chat = ChatChannelName.safeParse(letter.channel);
  if (doorbell.queue !== "inbound" || !chat.success || letter.raw === null) {
    await unpark(env.DB, doorbell, null, Date.now(), timings);
    return [doorbell];
  }
  const rows = await readAgain(env, chat.data, letter.raw);
  const own = rows.find(({ id }) => id === letter.key);
  if (own !== undefined) {
    await unpark(env.DB, doorbell, own, Date.now(), timings);
    return [doorbell];
  }
  // It was what nobody could read of its request: each event in it is received now, under its own id, and only then it goes.
  const rung: PendingDoorbell[] = [];
  for (let from = 0; from < rows.length; from += LIMITS.hook_events_max) {
    const some = rows.slice(from, from + LIMITS.hook_events_max);
    rung.push(...(await receiveInbound(env.DB, some, Date.now(), timings)));
  }
  await discard(env.DB, letter, Date.now());
  return rung;
}

/** The events of a request; throws when something in it still cannot be read. */
async function readAgain(
  env: Env,
  channel: ChatChannelName,
  raw: string | number[],
): Promise<AcceptedInbound[]> {
  if (typeof raw !== "string") throw notReplayed("It is not UTF-8, so nobody can read it. Discard it.");
  const request = new Request("http://replay/", { method: "POST", body: raw });
  const { received, body } = await receive(channel, request, env, { verify: false, now: Date.now() });
  const { events, ignored, unreadable } = accepted(channel, received);
  const reason = unreadable ?? (events.length > 0 ? null : (ignored[0]?.reason ?? "there is nothing in it"));
  if (reason !== null) throw notReplayed(`It still cannot be read: ${reason}`);
  return makeInbound(channel, body, { events, unreadable });
}

function notReplayed(detail: string): HttpProblem {
  return new HttpProblem({ status: 409, title: "Not replayed", detail });
}
