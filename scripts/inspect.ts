/**
 * `npm run inspect < captured.jsonl`: what ingress would answer to captured webhooks, and what it would understand; offline.
 * One JSON request a line on stdin, one JSON answer a line on stdout, in order.
 */
import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { reasonOf } from "../shared/errors.ts";
import type { Env } from "../workers/ingress/env.ts";
import type { About } from "../workers/ingress/channels/index.ts";
import { type Judged, judge } from "../workers/ingress/judge.ts";

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

for await (const line of lines()) {
  if (line.trim() !== "") console.log(JSON.stringify(await inspect(line)));
}

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
    const { channel, request, bot, verify, secrets } = Captured.parse(JSON.parse(line));
    const env: Partial<Env> = {
      ...secrets,
      ...(bot?.id !== undefined && { TELEGRAM_BOT_ID: String(bot.id) }),
      ...(bot?.username !== undefined && { TELEGRAM_BOT_USERNAME: bot.username }),
    };
    const url = `http://localhost/hooks/${channel}?${new URLSearchParams(request.query).toString()}`;
    const { method, headers } = request;
    const body = method === "GET" || method === "HEAD" ? {} : { body: request.body };
    return await outcome(
      await judge(channel, new Request(url, { method, headers, ...body }), env, { verify }),
    );
  } catch (error) {
    const reason = error instanceof z.core.$ZodError ? z.prettifyError(error) : reasonOf(error);
    return { status: null, body: null, events: [], error: reason };
  }
}

async function outcome({ response, channel, understood }: Judged) {
  const answer = { status: response.status, body: await response.text() };
  const ignored = (reason: string, about: About) => {
    const { dedupKey = null, conversationId = null, threadId = null, userId = null } = about;
    const ids = { conversationId, threadId, userId };
    return { ...answer, events: [{ channel, kind: "ignored", ...ids, text: null, dedupKey, reason }] };
  };
  switch (understood?.kind) {
    case undefined:
      return { ...answer, events: [], error: String(JSON.parse(answer.body).detail) };
    case "unreadable":
      return { ...answer, events: [], error: understood.reason };
    case "ignored":
      return ignored(understood.reason, understood.about);
    case "event": {
      const {
        kind = "message",
        address,
        sender,
        text,
        dedupKey,
        edited,
        movedTo,
        isAside,
      } = understood.event;
      // Nobody has said anything: who was admitted in the group still is.
      if (movedTo !== undefined)
        return ignored(`the group is now ${movedTo}`, { dedupKey, conversationId: address.chatId });
      const ids = { conversationId: address.chatId, threadId: address.threadId ?? null, userId: sender.id };
      // Unless another part of its album is.
      if (isAside === true)
        return ignored("not said to this bot", {
          dedupKey,
          conversationId: address.chatId,
          userId: sender.id,
          ...(address.threadId !== undefined && { threadId: address.threadId }),
        });
      const [, command] = /^\/(\w+)/.exec(kind === "command" ? text : "") ?? [];
      const facts = { ...(command !== undefined && { command }), ...(edited === true && { edited }) };
      return { ...answer, events: [{ channel, kind, ...ids, text, dedupKey, ...facts }] };
    }
  }
}
