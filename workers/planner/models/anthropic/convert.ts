/** Prompts as the Messages API takes them. https://platform.claude.com/docs/en/api/messages */
import type {
  Base64ImageSource,
  ContentBlockParam,
  DocumentBlockParam,
  ImageBlockParam,
  MessageParam,
  TextBlockParam,
  ToolUseBlockParam,
} from "@anthropic-ai/sdk/resources/messages/messages";
import { encodeBase64 } from "hono/utils/encode";
import type { CallPart, FilePart, PromptMessage, ResultPart, TextPart } from "../model.ts";

const TOOL_NAME_CHARS_MAX = 64;
const PDF = "application/pdf";
const IMAGES: ReadonlyMap<string, Base64ImageSource["media_type"]> = new Map([
  ["image/jpeg", "image/jpeg"],
  ["image/png", "image/png"],
  ["image/gif", "image/gif"],
  ["image/webp", "image/webp"],
] as const);

export function toMessageParam(message: PromptMessage): MessageParam {
  if (message.role === "user") return { role: "user", content: message.parts.map(toUserBlock) };
  return {
    role: "assistant",
    content: message.parts.map((part) => (part.type === "text" ? toTextBlock(part) : toUseBlock(part))),
  };
}

function toUserBlock(part: TextPart | FilePart | ResultPart): ContentBlockParam {
  return part.type === "result" ? toResultBlock(part) : toContentBlock(part);
}

function toResultBlock({ callId, ok, parts }: ResultPart): ContentBlockParam {
  const [first, ...more] = parts;
  // Words alone are sent as such: other servers than Anthropic's read nothing else.
  const content = first?.type === "text" && more.length === 0 ? first.text : parts.map(toContentBlock);
  return { type: "tool_result", tool_use_id: callId, is_error: !ok, content };
}

function toContentBlock(part: TextPart | FilePart): TextBlockParam | ImageBlockParam | DocumentBlockParam {
  if (part.type === "text") return toTextBlock(part);
  const data = encodeBase64(part.content.slice().buffer);
  const image = IMAGES.get(part.mime);
  if (part.type === "image" && image !== undefined)
    return { type: "image", source: { type: "base64", media_type: image, data } };
  if (part.mime === PDF) return { type: "document", source: { type: "base64", media_type: PDF, data } };
  return { type: "text", text: "(A file of a kind that you cannot read.)" };
}

function toTextBlock({ text }: TextPart): TextBlockParam {
  return { type: "text", text };
}

function toUseBlock({ id, name, input }: CallPart): ToolUseBlockParam {
  // What it made up must still be of the shape of a call, or no later request is taken.
  const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
  return { type: "tool_use", id, name: cleanToolName(name), input: isObject ? input : { input } };
}

const cleanToolName = (name: string) =>
  name.replace(/[^\w-]/g, "_").slice(0, TOOL_NAME_CHARS_MAX) || "unknown";
