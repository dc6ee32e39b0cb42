/** Accepting a webhook: verify → understand → one D1 batch → 2xx. The doorbell rings after the answer. */
import type { Context } from "hono";
import { timingsOf } from "../../shared/config.ts";
import { ChatChannelName } from "../../shared/contracts/channel.ts";
import type { InboundEvent } from "../../shared/contracts/inbound.ts";
import { reasonOf } from "../../shared/errors.ts";
import { deriveId, sha256Hex } from "../../shared/ids.ts";
import { LIMITS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { acceptInbound } from "../../shared/store/inbound.ts";
import { type Body, readBody } from "../../shared/body.ts";
import { receivers, type Understood } from "./channels/index.ts";
import { bellsOf, type Env } from "./env.ts";
import { problem } from "./problem.ts";

/** Channels that are configured by variables belong to this tenant. */
const TENANT = "default";

/** `POST /hooks/:channel`. */
export async function acceptWebhook(c: Context<{ Bindings: Env }>): Promise<Response> {
  const channel = ChatChannelName.safeParse(c.req.param("channel"));
  if (!channel.success) {
    return problem({
      status: 404,
      title: "No such channel",
      detail: `Channels: ${ChatChannelName.options.join(", ")}.`,
    });
  }
  const receiver = receivers[channel.data];
  const verdict = await receiver.verify({ headers: c.req.raw.headers }, c.env);
  if (verdict.kind === "unconfigured") return unconfigured(channel.data, verdict.variable);
  if (verdict.kind === "forged") {
    log("warn", { stage: "ingress", effect: "refused", channel: channel.data, detail: "wrong secret token" });
    return problem({
      status: 401,
      title: "Not genuine",
      detail: "The request does not carry this channel's secret.",
    });
  }

  const body = await readBody(c.req.raw, LIMITS.hook_body_bytes_max);
  const understood = understand(body, (text) => receiver.understand(text));
  if (understood.kind === "ignored") {
    log("info", { stage: "ingress", effect: "ignored", channel: channel.data, detail: understood.reason });
    return c.json({ ok: true });
  }
  try {
    const doorbells = await store(c.env, channel.data, body, understood);
    c.executionCtx.waitUntil(ring(bellsOf(c.env), doorbells, "ingress"));
  } catch (error) {
    // The platform sends it again.
    log("error", { stage: "ingress", effect: "accepted", channel: channel.data, detail: reasonOf(error) });
    return problem({
      status: 503,
      title: "Not stored",
      detail: "The database did not take it. Send it again.",
    });
  }
  return c.json({ ok: true });
}

/** The conversation of an address: the same for every message from there. */
export function conversationIdOf({ channel, address }: InboundEvent): Promise<string> {
  return deriveId("conv", TENANT, channel, address.chatId);
}

function understand(body: Body, read: (text: string) => Understood): Understood {
  if (body.cut) {
    return {
      kind: "unreadable",
      reason: `larger than ${LIMITS.hook_body_bytes_max} bytes; kept are the first`,
    };
  }
  return body.text === null ? { kind: "unreadable", reason: "not UTF-8" } : read(body.text);
}

async function store(
  env: Env,
  channel: ChatChannelName,
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

function unconfigured(channel: string, variable: string): Response {
  return problem({
    status: 503,
    title: `${variable} is not set`,
    detail: `The channel "${channel}" is not served without it. Set ${variable} in .dev.vars (or with \`wrangler secret put ${variable} -c wrangler/ingress.jsonc\`) and start again.`,
  });
}
