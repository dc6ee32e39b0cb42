/** Accepting a webhook: judged, stored in one D1 batch, 2xx. The doorbell rings after the answer. */
import type { Context } from "hono";
import { timingsOf } from "../../shared/config.ts";
import type { InboundEvent } from "../../shared/contracts/inbound.ts";
import { reasonOf } from "../../shared/errors.ts";
import { deriveId, sha256Hex } from "../../shared/ids.ts";
import { log } from "../../shared/log.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { acceptInbound } from "../../shared/store/inbound.ts";
import type { Body } from "../../shared/body.ts";
import type { Understood } from "./channels/index.ts";
import { bellsOf, type Env } from "./env.ts";
import { judge } from "./judge.ts";
import { problem } from "./problem.ts";

/** Channels that are configured by variables belong to this tenant. */
const TENANT = "default";

/** `POST /hooks/:channel`. */
export async function acceptWebhook(c: Context<{ Bindings: Env }>): Promise<Response> {
  const judged = await judge(c.req.param("channel") ?? "", c.req.raw, c.env, { verify: true });
  const { channel, response, understood, body } = judged;
  if (understood === null || body === null) return response;
  if (understood.kind === "ignored") {
    log("info", { stage: "ingress", effect: "ignored", channel, detail: understood.reason });
    return response;
  }
  try {
    const doorbells = await store(c.env, channel, body, understood);
    const isPart = understood.kind === "event" && understood.event.albumId !== undefined;
    const delay_ms = isPart ? timingsOf(c.env).album_ms : 0;
    const pending = doorbells.map((doorbell) => ({ ...doorbell, delay_ms }));
    c.executionCtx.waitUntil(ring(bellsOf(c.env), pending, "ingress"));
  } catch (error) {
    // The platform sends it again.
    log("error", { stage: "ingress", effect: "accepted", channel, detail: reasonOf(error) });
    return problem({
      status: 503,
      title: "Not stored",
      detail: "The database did not take it. Send it again.",
    });
  }
  return response;
}

/** The conversation of a message: its chat, its topic, or in a group without topics its sender's part of it. */
export function conversationIdOf({ channel, address, sender, isGroup }: InboundEvent): Promise<string> {
  const { chatId, threadId } = address;
  if (threadId !== undefined) return deriveId("conv", TENANT, channel, chatId, "thread", threadId);
  if (isGroup === true) return deriveId("conv", TENANT, channel, chatId, "sender", sender.id);
  return deriveId("conv", TENANT, channel, chatId);
}

async function store(
  env: Env,
  channel: string,
  body: Body,
  understood: Exclude<Understood, { kind: "ignored" }>,
) {
  const event = understood.kind === "event" ? understood.event : null;
  const parkedReason = understood.kind === "unreadable" ? understood.reason : null;
  const dedupKey = event?.dedupKey ?? `unreadable:${await sha256Hex(body.text ?? [...body.bytes].join())}`;
  const id = await deriveId("inb", TENANT, channel, dedupKey);
  const conversationId = event && (await conversationIdOf(event));
  const now = Date.now();
  const raw = body.text ?? body.bytes.slice().buffer;
  const doorbells = await acceptInbound(
    env.DB,
    { id, tenantId: TENANT, channel, conversationId, event, raw, parkedReason },
    now,
    timingsOf(env),
  );
  const facts = { stage: "ingress" as const, channel, key: id, latency_ms: Date.now() - now };
  if (parkedReason !== null) log("error", { ...facts, effect: "parked", detail: parkedReason });
  else
    log("info", {
      ...facts,
      effect: doorbells.length > 0 ? "accepted" : "redelivered",
      session_id: conversationId ?? "",
    });
  return doorbells;
}
