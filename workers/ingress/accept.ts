/** Accepting a webhook: received, stored in one D1 batch, answered. The doorbells ring after the answer. */
import type { Context } from "hono";
import type { Body } from "../../shared/body.ts";
import { getChannel, type ChatChannelName } from "../../shared/channels/index.ts";
import { readTimings } from "../../shared/config.ts";
import type { Doorbell } from "../../shared/contracts/doorbell.ts";
import type { InboundEvent } from "../../shared/contracts/inbound.ts";
import { describeError } from "../../shared/errors.ts";
import { deriveId, sha256Hex } from "../../shared/ids.ts";
import { LIMITS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { type AcceptedInbound, receiveInbound } from "../../shared/store/receive.ts";
import { getBells, type Env } from "./env.ts";
import { HttpProblem } from "./problem.ts";
import { type Accepted, accepted, receive } from "./receive.ts";

/** Channels that are configured by variables belong to this tenant. */
const TENANT = "default";

/** `/hooks/:channel`. */
export async function acceptWebhook(c: Context<{ Bindings: Env }>): Promise<Response> {
  const now = Date.now();
  const { channel, body, received } = await receive(c.req.param("channel") ?? "", c.req.raw, c.env, {
    verify: true,
    now,
  });
  if (received.kind === "refused")
    log("warn", { stage: "ingress", effect: "refused", channel, detail: received.reason });
  const { response, ...content } = accepted(channel, received);
  for (const { reason } of content.ignored)
    log("info", { stage: "ingress", effect: "ignored", channel, detail: reason });
  const inbound = await makeInbound(channel, body, {
    events: content.events.slice(0, LIMITS.hook_events_max),
    unreadable:
      content.events.length > LIMITS.hook_events_max
        ? `more than ${LIMITS.hook_events_max} events`
        : content.unreadable,
  });
  try {
    const doorbells = await receiveInbound(c.env.DB, inbound, now, readTimings(c.env));
    report(inbound, doorbells, Date.now() - now);
    c.executionCtx.waitUntil(ring(getBells(c.env), delayed(c.env, inbound, doorbells), "ingress"));
  } catch (error) {
    // The platform sends it again.
    log("error", { stage: "ingress", effect: "accepted", channel, detail: describeError(error) });
    throw new HttpProblem({
      status: 503,
      title: "Not stored",
      detail: "The database did not take it. Send it again.",
    });
  }
  return response;
}

/** The rows of a request: one for each event, and one for what nobody can read. What came is kept once, with the first of them and the last. */
export async function makeInbound(
  channel: ChatChannelName,
  body: Body,
  { events, unreadable }: Pick<Accepted, "events" | "unreadable">,
): Promise<AcceptedInbound[]> {
  const origin = { tenantId: TENANT, channel };
  const raw = body.text ?? body.bytes.slice().buffer;
  const readable = await Promise.all(
    events.map(async (event, index) => ({
      ...origin,
      id: await deriveId("inb", TENANT, channel, event.dedupKey),
      conversationId: await deriveConversationId(event),
      event,
      raw: index === 0 ? raw : null,
      parkedReason: null,
    })),
  );
  if (unreadable === null) return readable;
  const hash = await sha256Hex(body.text ?? [...body.bytes].join());
  const id = await deriveId("inb", TENANT, channel, `unreadable:${hash}`);
  const parked = { ...origin, id, conversationId: null, event: null, raw, parkedReason: unreadable };
  return [...readable, parked];
}

/** The conversation of an event: its chat, its topic, or in a group without topics its sender's part of it. */
function deriveConversationId({ address, sender, isGroup }: InboundEvent): Promise<string> {
  const { channel } = address;
  const { chatId, threadId } = getChannel(channel).locate(address);
  if (threadId !== undefined) return deriveId("conv", TENANT, channel, chatId, "thread", threadId);
  if (isGroup) return deriveId("conv", TENANT, channel, chatId, "sender", sender.id);
  return deriveId("conv", TENANT, channel, chatId);
}

/** A part of an album waits for the others. */
function delayed(env: Env, inbound: readonly AcceptedInbound[], doorbells: readonly Doorbell[]) {
  const parts = inbound.filter(({ event }) => event !== null && "albumId" in event).map(({ id }) => id);
  const { album_ms } = readTimings(env);
  return doorbells.map((doorbell) => ({
    ...doorbell,
    delay_ms: parts.includes(doorbell.key) ? album_ms : 0,
  }));
}

function report(
  inbound: readonly AcceptedInbound[],
  doorbells: readonly Doorbell[],
  latencyMs: number,
): void {
  for (const { id, channel, conversationId, parkedReason } of inbound) {
    const facts = { stage: "ingress" as const, channel, key: id, latency_ms: latencyMs };
    const isNew = doorbells.some(({ key }) => key === id);
    if (parkedReason !== null) log("error", { ...facts, effect: "parked", detail: parkedReason });
    else
      log("info", {
        ...facts,
        effect: isNew ? "accepted" : "redelivered",
        session_id: conversationId ?? "",
      });
  }
}
