/**
 * `npm run inspect < captured.jsonl`: what ingress would answer to captured webhooks, and what it would understand; offline.
 * One JSON request a line on stdin, one JSON answer a line on stdout, in order.
 */
import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { describeError } from "../shared/errors.ts";
import { type ChatAddress, getChannel, ChatChannelName } from "../shared/channels/index.ts";
import type { InboundEvent } from "../shared/contracts/inbound.ts";
import type { Ignored } from "../workers/ingress/channels/receiver.ts";
import { command as runCommand } from "./installation/command.ts";
import { HttpProblem } from "../workers/ingress/problem.ts";
import { type Accepted, accepted, receive } from "../workers/ingress/receive.ts";

z.config(en());

const Captured = z.object({
  channel: z.string(),
  request: z.object({
    method: z.string(),
    query: z.optional(z.union([z.string(), z.record(z.string(), z.string())])),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
  }),
  bot: z.optional(
    z.object({ id: z.optional(z.union([z.string(), z.int()])), username: z.optional(z.string()) }),
  ),
  verify: z.boolean(),
  secrets: z.optional(z.record(z.string(), z.string())),
  /** Unix seconds: the time at which signatures are judged. */
  now: z.optional(z.number()),
});

const USAGE = `Usage: npm run -s inspect < captured.jsonl
  what ingress would answer to captured webhooks, and what it would understand, offline: one JSON request a line, one answer a line`;

await runCommand(USAGE, async () => {
  for await (const line of lines()) {
    if (line.trim() !== "") console.log(JSON.stringify(await inspect(line)));
  }
});

/** By line feeds only: JSON may hold other line separators as they are. */
async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    const parts = `${rest}${chunk}`.split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  yield rest;
}

async function inspect(line: string) {
  try {
    const { channel, request, bot, verify, secrets, now } = Captured.parse(JSON.parse(line));
    const known = ChatChannelName.safeParse(channel);
    const names = known.success ? (getChannel(known.data).bot ?? null) : null;
    const settings = {
      ...secrets,
      ...(names !== null && bot?.id !== undefined && { [names.id]: String(bot.id) }),
      ...(names !== null && bot?.username !== undefined && { [names.username]: bot.username }),
    };
    const url = `http://localhost/hooks/${channel}?${new URLSearchParams(request.query).toString()}`;
    const { method, headers } = request;
    const body = method === "GET" || method === "HEAD" ? {} : { body: request.body };
    const captured = new Request(url, { method, headers, ...body });
    const at = { verify, now: now === undefined ? Date.now() : now * 1_000 };
    const received = await receive(channel, captured, settings, at);
    return await outcome(channel, accepted(received.channel, received.received));
  } catch (error) {
    if (error instanceof HttpProblem) {
      const { status, detail } = error.facts;
      return { status, body: await error.response().text(), events: [], error: detail };
    }
    const reason = error instanceof z.core.$ZodError ? z.prettifyError(error) : describeError(error);
    return { status: null, body: null, events: [], error: reason };
  }
}

async function outcome(channel: string, { response, events, ignored, unreadable }: Accepted) {
  return {
    status: response.status,
    body: await response.text(),
    events: [
      ...events.map((event) => ({ channel, ...viewEvent(event) })),
      ...ignored.map((one) => ({ channel, ...ignoredView(one) })),
    ],
    ...(unreadable !== null && { error: unreadable }),
  };
}

function viewEvent(event: InboundEvent) {
  const { kind, dedupKey, address, sender } = event;
  // Nobody has said anything: who was admitted in the group still is.
  if (kind === "group_migrated")
    return ignoredView({ reason: `the group is now ${event.toChatId}`, dedupKey, address });
  if (kind === "callback")
    return { kind, ...readIds(address), userId: sender.id, text: event.data, dedupKey };
  // Unless another part of its album is.
  if (event.isToOthers === true)
    return ignoredView({ reason: "not said to this bot", dedupKey, address, userId: sender.id });
  const command = kind === "command" ? { command: event.command.name } : {};
  const { text, edited, forwardedFrom } = event;
  return {
    kind,
    ...readIds(address),
    userId: sender.id,
    text,
    dedupKey,
    ...command,
    ...(edited === true && { edited }),
    ...(forwardedFrom !== undefined && { forwardedFrom }),
  };
}

function ignoredView({ reason, dedupKey, address, userId }: Ignored) {
  const ids = { ...readIds(address), userId: userId ?? null };
  return { kind: "ignored", ...ids, text: null, dedupKey: dedupKey ?? null, reason };
}

function readIds(address: ChatAddress | undefined) {
  if (address === undefined) return { conversationId: null, threadId: null };
  const { chatId, threadId = null } = getChannel(address.channel).locate(address);
  return { conversationId: chatId, threadId };
}
