/** The dead-letter desk over HTTP: list, show, replay, discard. `npm run dead-letters` speaks to it. */
import { Hono } from "hono";
import { timingsOf } from "../../../shared/config.ts";
import { ChatChannelName } from "../../../shared/contracts/channel.ts";
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
import { conversationIdOf } from "../accept.ts";
import { receivers } from "../channels/index.ts";
import { bellsOf, type Env } from "../env.ts";
import { problem } from "../problem.ts";
import { callerOf, unauthorized } from "./caller.ts";

export const deadLetters = new Hono<{ Bindings: Env }>();

deadLetters.get("/", async (c) => {
  const caller = await callerOf(c);
  if (caller === null) return unauthorized();
  const letters = await listDeadLetters(c.env.DB, caller.keyHash);
  if (letters === "unauthorized") return unauthorized();
  return c.json({
    dead_letters: letters.map(({ parked_at, ...letter }) => ({
      ...letter,
      parked_at: new Date(parked_at).toISOString(),
    })),
  });
});

deadLetters.get("/:queue/:key", async (c) => {
  const letter = await find(c.env, await callerOf(c), c.req.param());
  if (letter instanceof Response) return letter;
  const { raw, parked_at, ...facts } = letter;
  const bytes = Array.isArray(raw)
    ? { raw_base64: btoa(raw.map((byte) => String.fromCharCode(byte)).join("")) }
    : { raw };
  return c.json({ ...facts, parked_at: new Date(parked_at).toISOString(), ...bytes });
});

deadLetters.post("/:queue/:key/replay", async (c) => {
  const letter = await find(c.env, await callerOf(c), c.req.param());
  if (letter instanceof Response) return letter;
  const queue = QueueName.safeParse(letter.queue);
  if (!queue.success) return notReplayed("It was no doorbell, so there is nothing to ring. Discard it.");
  const reread = await readAgain(c.env, letter);
  if (typeof reread === "string") return notReplayed(reread);
  const doorbell = { queue: queue.data, key: letter.key };
  await unpark(c.env.DB, doorbell, reread, Date.now(), timingsOf(c.env));
  c.executionCtx.waitUntil(ring(bellsOf(c.env), [doorbell], "ingress"));
  log("info", { stage: "ingress", effect: "replayed", queue: letter.queue, key: letter.key });
  return c.json({ replayed: doorbell }, 202);
});

deadLetters.delete("/:queue/:key", async (c) => {
  const letter = await find(c.env, await callerOf(c), c.req.param());
  if (letter instanceof Response) return letter;
  await discard(c.env.DB, letter, Date.now());
  log("info", { stage: "ingress", effect: "discarded", queue: letter.queue, key: letter.key });
  return c.json({ discarded: { queue: letter.queue, key: letter.key } });
});

async function find(
  env: Env,
  caller: Awaited<ReturnType<typeof callerOf>>,
  id: { queue: string; key: string },
): Promise<WholeDeadLetter | Response> {
  if (caller === null) return unauthorized();
  const letter = await readDeadLetter(env.DB, caller.keyHash, id);
  if (letter === "unauthorized") return unauthorized();
  if (letter !== undefined) return letter;
  return problem({
    status: 404,
    title: "No such dead letter",
    detail: `Nothing is parked as ${id.queue}/${id.key}.`,
  });
}

/** Reads a webhook again, with the reader of today. A string says why it still cannot be read. */
async function readAgain(env: Env, { queue, channel, raw }: WholeDeadLetter) {
  const chat = ChatChannelName.safeParse(channel);
  if (queue !== "inbound" || !chat.success) return null;
  if (typeof raw !== "string") return "It is not UTF-8, so nobody can read it. Discard it.";
  const understood = receivers[chat.data].understand(raw, env);
  if (understood.kind !== "event") return `It still cannot be read: ${understood.reason}`;
  return { event: understood.event, conversationId: await conversationIdOf(understood.event) };
}

function notReplayed(detail: string): Response {
  return problem({ status: 409, title: "Not replayed", detail });
}
