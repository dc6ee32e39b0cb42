/** The dead-letter desk over HTTP: list, show, replay, discard. `npm run dead-letters` speaks to it. */
import { type Context, Hono } from "hono";
import { readBody } from "../../../shared/body.ts";
import { ChatChannelName } from "../../../shared/channels/index.ts";
import { timingsOf } from "../../../shared/config.ts";
import type {
  DeadLetterPage,
  Discarded,
  Replayed,
  WholeDeadLetter as WholeView,
} from "../../../shared/contracts/api.ts";
import { QueueName } from "../../../shared/contracts/doorbell.ts";
import { log } from "../../../shared/log.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import {
  discard,
  listDeadLetters,
  readDeadLetter,
  unpark,
  type WholeDeadLetter,
} from "../../../shared/store/dead-letters.ts";
import { type AcceptedInbound, acceptInbound } from "../../../shared/store/inbound.ts";
import { inboundOf } from "../accept.ts";
import { bellsOf, type Env } from "../env.ts";
import { HttpProblem } from "../problem.ts";
import { accepted, receive } from "../receive.ts";
import { callerOf, granted } from "./caller.ts";
import { iso } from "./view.ts";

type Api = Context<{ Bindings: Env }>;

export const deadLetters = new Hono<{ Bindings: Env }>();

deadLetters.get("/", async (c) => {
  const { keyHash } = await callerOf(c);
  const letters = granted(await listDeadLetters(c.env.DB, keyHash), "list");
  return c.json<DeadLetterPage>({
    dead_letters: letters.map(({ parked_at, ...letter }) => ({ ...letter, parked_at: iso(parked_at) })),
  });
});

deadLetters.get("/:queue/:key", async (c) => {
  const { raw, parked_at, ...facts } = await find(c, c.req.param());
  const said = Array.isArray(raw)
    ? { raw_base64: btoa(raw.map((byte) => String.fromCharCode(byte)).join("")) }
    : { raw };
  return c.json<WholeView>({ ...facts, parked_at: iso(parked_at), ...said });
});

deadLetters.post("/:queue/:key/replay", async (c) => {
  const letter = await find(c, c.req.param());
  const queue = QueueName.safeParse(letter.queue);
  if (!queue.success) throw notReplayed("It was no doorbell, so there is nothing to ring. Discard it.");
  const [reread, ...others] = await readAgain(c.env, letter);
  const doorbell = { queue: queue.data, key: letter.key };
  await unpark(c.env.DB, doorbell, reread ?? null, Date.now(), timingsOf(c.env));
  const more = await acceptInbound(c.env.DB, others, Date.now(), timingsOf(c.env));
  c.executionCtx.waitUntil(ring(bellsOf(c.env), [doorbell, ...more], "ingress"));
  log("info", { stage: "ingress", effect: "replayed", queue: letter.queue, key: letter.key });
  return c.json<Replayed>({ replayed: doorbell }, 202);
});

deadLetters.delete("/:queue/:key", async (c) => {
  const { queue, key } = await find(c, c.req.param());
  await discard(c.env.DB, { queue, key }, Date.now());
  log("info", { stage: "ingress", effect: "discarded", queue, key });
  return c.json<Discarded>({ discarded: { queue, key } });
});

async function find(c: Api, { queue, key }: { queue: string; key: string }): Promise<WholeDeadLetter> {
  const { keyHash } = await callerOf(c);
  const letter = await readDeadLetter(c.env.DB, keyHash, { queue, key });
  return granted(letter, "dead letter", `Nothing is parked as ${queue}/${key}.`);
}

/** Reads a webhook again, with the receiver of today: what the letter itself is comes first. Nothing for a letter that is no webhook. */
async function readAgain(
  env: Env,
  { queue, key, channel, raw }: WholeDeadLetter,
): Promise<AcceptedInbound[]> {
  const chat = ChatChannelName.safeParse(channel);
  if (queue !== "inbound" || !chat.success) return [];
  if (typeof raw !== "string") throw notReplayed("It is not UTF-8, so nobody can read it. Discard it.");
  const request = new Request("http://replay/", { method: "POST", body: raw });
  const options = { verify: false, now: Date.now() };
  const { received } = await receive(chat.data, request, env, options);
  const { events, ignored, unreadable } = accepted(chat.data, received);
  if (events.length === 0) {
    const reason = unreadable ?? ignored[0]?.reason ?? "there is nothing in it";
    throw notReplayed(`It still cannot be read: ${reason}`);
  }
  const body = await readBody(new Response(raw), Number.MAX_SAFE_INTEGER);
  const rows = await inboundOf(chat.data, body, { events, unreadable: null });
  return rows.toSorted((a, b) => Number(b.id === key) - Number(a.id === key));
}

function notReplayed(detail: string): HttpProblem {
  return new HttpProblem({ status: 409, title: "Not replayed", detail });
}
