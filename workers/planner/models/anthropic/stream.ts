/** An answer of the Messages API, read to its end: as a stream of events, or whole from a server that does not stream. */
import { Stream } from "@anthropic-ai/sdk/core/streaming";
import type { RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod/mini";

/** The least of an answer that is one. */
const Answer = z.object({
  model: z.string(),
  content: z.array(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("text"), text: z.string() }),
      z.object({ type: z.literal("tool_use"), name: z.string(), input: z.unknown() }),
      z.object({ type: z.literal("other") }),
    ]),
  ),
  stop_reason: z.nullable(z.string()),
  usage: z.object({
    input_tokens: z.int(),
    output_tokens: z.int(),
    cache_creation_input_tokens: z.nullish(z.int()),
    cache_read_input_tokens: z.nullish(z.int()),
  }),
});
export type Answer = z.infer<typeof Answer>;

/** Who hears of an answer while it comes. `onText` is called for every event. */
export interface Hearing {
  onText(delta: string): Promise<void>;
  /** With whatever is written, words included. */
  onWritten(delta: string): void;
  onUsage(usage: Answer["usage"]): void;
}
type Block = Answer["content"][number];

/** The answer; null when what came is not one. Throws when it is cut before its end. */
export async function readAnswer(response: Response, hearing: Hearing): Promise<Answer | null> {
  const type = response.headers.get("content-type") ?? "";
  const isStream = type.includes("text/event-stream");
  // A page that somebody wrote for people; other servers forget to say what they send.
  if (type.includes("html")) return null;
  const whole = isStream ? await gather(response, hearing) : await response.json<unknown>();
  const answer = z.safeParse(Whole, whole);
  if (!answer.success) return null;
  return Answer.safeParse({ ...answer.data, content: answer.data.content.map(toKnownBlock) }).data ?? null;
}

/** Blocks of other types, such as thinking, are not read. */
const Whole = z.extend(Answer, { content: z.array(z.looseObject({ type: z.string() })) });

function toKnownBlock(block: { type: string }): unknown {
  return block.type === "text" || block.type === "tool_use" ? block : { type: "other" };
}

async function gather(response: Response, hearing: Hearing): Promise<unknown> {
  let message: object = {};
  let usage: object = {};
  let ended = false;
  const content: Block[] = [];
  const inputs = new Map<number, string>();
  const events: Stream<RawMessageStreamEvent> = Stream.fromSSEResponse(response, new AbortController());
  for await (const event of events) {
    let said = "";
    switch (event.type) {
      case "message_start":
        ({ message, usage } = { message: event.message, usage: event.message.usage });
        tellUsage(usage, hearing);
        break;
      case "content_block_start": {
        content[event.index] = toBlock(event.content_block);
        if (event.content_block.type === "text") said = speak(content, event.index, event.content_block.text);
        break;
      }
      case "content_block_delta": {
        const { delta } = event;
        if (delta.type === "text_delta") said = speak(content, event.index, delta.text);
        if (delta.type === "input_json_delta") {
          inputs.set(event.index, (inputs.get(event.index) ?? "") + delta.partial_json);
          hearing.onWritten(delta.partial_json);
        }
        if (delta.type === "thinking_delta") hearing.onWritten(delta.thinking);
        break;
      }
      case "message_delta":
        message = { ...message, stop_reason: event.delta.stop_reason };
        usage = { ...usage, ...dropNulls(event.usage) };
        tellUsage(usage, hearing);
        break;
      case "message_stop":
        ended = true;
        break;
      case "content_block_stop":
        break;
    }
    hearing.onWritten(said);
    await hearing.onText(said);
    // Whoever keeps the connection open says nothing more.
    if (ended) break;
  }
  if (!ended) throw new Error("the stream ended in the middle");
  for (const [index, json] of inputs) {
    const block = content[index];
    if (block?.type === "tool_use" && json !== "") block.input = parseInput(json);
  }
  return { ...message, usage, content };
}

/** Servers that count nothing say nothing of it. */
function tellUsage(usage: object, hearing: Hearing): void {
  const { data } = Answer.shape.usage.safeParse(usage);
  if (data !== undefined) hearing.onUsage(data);
}

/** Adds to a block, and returns what was said with it: blocks are paragraphs of one answer, as far as they say something. */
function speak(content: readonly Block[], index: number, text: string | undefined): string {
  const block = content[index];
  if (block?.type !== "text" || text === undefined || text === "") return "";
  const isParagraph = block.text === "" && content.slice(0, index).some(hasText);
  block.text += text;
  return isParagraph ? `\n\n${text}` : text;
}

/** What the answer says: its blocks as paragraphs. */
export function joinText({ content }: Answer): string {
  return content
    .filter(hasText)
    .map(({ text }) => text)
    .join("\n\n");
}

function hasText(block: Block): block is Extract<Block, { type: "text" }> {
  return block.type === "text" && block.text !== "";
}

function toBlock(block: { type: string; name?: string; input?: unknown }): Block {
  if (block.type === "text") return { type: "text", text: "" };
  if (block.type === "tool_use") return { type: "tool_use", name: block.name ?? "", input: block.input };
  return { type: "other" };
}

/** What is no JSON is handed on as it is: the call's schema refuses it in words. */
function parseInput(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

/** Counters that do not apply are null, and must not hide what the beginning said. */
function dropNulls(usage: object): object {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null));
}
