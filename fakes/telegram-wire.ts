/** What passes between a bot and the Bot API: parameters in, a result or a refusal out, and markup as Telegram reads it. */
import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

/** What it says instead of doing what it was asked. */
export interface Refusal {
  status: number;
  description: string;
  parameters?: Record<string, unknown>;
  headers?: Record<string, string>;
}

export function buttonsOf(body: Record<string, unknown>): string[] {
  const markup = body["reply_markup"] as { inline_keyboard: { callback_data: string }[][] } | undefined;
  return (markup?.inline_keyboard ?? []).flat().map(({ callback_data: data }) => data);
}

const TEXT_UNITS_MAX = 4_096;
const TAGS = new Set(["a", "b", "blockquote", "code", "i", "pre", "s"]);

/** The text after entities parsing, or the refusal of markup that does not parse. */
export function understand(body: Record<string, unknown>) {
  const sent = String(body["text"] ?? "");
  const text = body["parse_mode"] === "HTML" ? withoutTags(sent) : sent;
  if (text === null)
    return refusal({ status: 400, description: "Bad Request: can't parse entities: unmatched end tag" });
  if (text.trim() === "") return refusal({ status: 400, description: "Bad Request: message text is empty" });
  if (text.length > TEXT_UNITS_MAX)
    return refusal({ status: 400, description: "Bad Request: message is too long" });
  if (!text.isWellFormed())
    return refusal({ status: 400, description: "Bad Request: strings must be encoded in UTF-8" });
  return text;
}

function withoutTags(html: string): string | null {
  const open: string[] = [];
  let text = "";
  for (const [token, closing, tag] of html.matchAll(/<(\/?)([a-z]+)(?: [^<>]*)?>|[^<]+|</g)) {
    if (tag === undefined) {
      if (token === "<" || /&(?!(?:lt|gt|amp|quot);)/.test(token)) return null;
      text += token
        .replaceAll("&lt;", "<")
        .replaceAll("&gt;", ">")
        .replaceAll("&quot;", '"')
        .replaceAll("&amp;", "&");
    } else if (!TAGS.has(tag)) return null;
    else if (closing === "/") {
      if (open.pop() !== tag) return null;
    } else open.push(tag);
  }
  return open.length === 0 ? text : null;
}

export function success(result: unknown) {
  return { status: 200, headers: {}, body: { ok: true, result } };
}

export function refusal({ status, description, parameters, headers = {} }: Refusal) {
  const body = { ok: false, error_code: status, description, ...(parameters && { parameters }) };
  return { status, headers, body };
}

/** Parameters as JSON, or in parts with a file among them. */
export async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const bytes = await buffer(request);
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/")) return JSON.parse(bytes.toString("utf8") || "{}");
  const form = await new Response(bytes, { headers: { "content-type": type } }).formData();
  const parameters: Record<string, unknown> = {};
  for (const [name, value] of form) {
    if (typeof value === "string") parameters[name] = value;
    else Object.assign(parameters, { file: value, bytes: await value.arrayBuffer() });
  }
  return parameters;
}
