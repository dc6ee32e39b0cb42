/** A server that speaks the Messages API, at its HTTP edge: it answers as it is scripted, and fails as the real one does. */
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { AddressInfo } from "node:net";

export interface ModelRequest {
  headers: NodeJS.Dict<string | string[]>;
  body: {
    model: string;
    max_tokens: number;
    system: string;
    stream?: boolean;
    tools: { name: string; input_schema: object }[];
    messages: { role: "user" | "assistant"; content: Block[] }[];
  };
}

export interface Block {
  type: string;
  text?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  content?: string;
  source?: { type: string; media_type: string; data: string };
  title?: string;
  is_error?: boolean;
}

export type ModelAnswer =
  /** `pieceMs`: how long it takes from one piece of a text to the next. `whole`: by a server that cannot stream. */
  | { content: Block[]; stop_reason?: string; pieceMs?: number; whole?: boolean }
  | { status: number; headers?: Record<string, string>; body?: unknown }
  /** The beginning of the answer, and then the connection is cut. */
  | "half"
  /** The beginning of the answer, and then the stream ends as if it were whole. */
  | "end"
  /** The beginning of the answer, and then the server says that it has failed. */
  | "error"
  /** Nothing, ever. */
  | "silence";

export class ModelServer {
  readonly requests: ModelRequest[] = [];
  /** What it says that each answer has cost. */
  usage = { input_tokens: 10, output_tokens: 5 };
  /** How long it takes until it begins to answer. */
  thinksMs = 0;
  /** Asked for every request. */
  answerTo: (request: ModelRequest) => ModelAnswer = () => says("Hello.");
  /** Called when somebody hangs up in the middle of an answer. */
  onHangUp: (request: ModelRequest) => void = () => undefined;
  private readonly server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const asked: ModelRequest = { headers: request.headers, body: JSON.parse(body) };
      this.requests.push(asked);
      const answer = this.answerTo(asked);
      await sleep(this.thinksMs);
      if (answer === "silence") return;
      if (answer === "half" || answer === "end" || answer === "error") {
        const half = { content: [{ type: "text", text: "Half of an answer, which nobody" }] };
        const events = eventsOf(asked, half, this.usage);
        response.writeHead(200, { "content-type": "text/event-stream" });
        for (const event of events.slice(0, 4)) response.write(event);
        if (answer === "error") response.end(sse("error", errorOf(529)));
        else if (answer === "end") response.end();
        else response.write("event: content_block_de", () => request.socket.destroy());
        return;
      }
      if (!("status" in answer) && asked.body.stream === true && answer.whole !== true) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        for (const event of eventsOf(asked, answer, this.usage)) {
          if (response.destroyed) return this.onHangUp(asked);
          response.write(event);
          if (answer.pieceMs !== undefined) await sleep(answer.pieceMs);
        }
        response.end();
        return;
      }
      const [status, sent] =
        "status" in answer
          ? [answer.status, answer.body ?? errorOf(answer.status)]
          : [200, toMessageParam(asked, answer, this.usage)];
      const headers = "status" in answer ? answer.headers : {};
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(sent));
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  reset(): void {
    this.requests.length = 0;
    this.answerTo = () => says("Hello.");
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

export function says(words: string): ModelAnswer {
  return { content: [{ type: "text", text: words }] };
}

export function calls(name: string, input: unknown, words = ""): ModelAnswer {
  const spoken = words === "" ? [] : [{ type: "text", text: words }];
  return { content: [...spoken, { type: "tool_use", id: "toolu_1", name, input }], stop_reason: "tool_use" };
}

function toMessageParam(
  { body }: ModelRequest,
  { content, stop_reason = "end_turn" }: { content: Block[]; stop_reason?: string },
  { input_tokens, output_tokens }: ModelServer["usage"],
) {
  // Whoever may not write so much is cut off.
  const isCut = output_tokens > body.max_tokens;
  const usage = { input_tokens, output_tokens: Math.min(output_tokens, body.max_tokens) };
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: body.model,
    content,
    stop_reason: isCut ? "max_tokens" : stop_reason,
    stop_sequence: null,
    usage,
  };
}

/** The events of a streamed answer, its texts in pieces. */
function eventsOf(
  asked: ModelRequest,
  answer: { content: Block[]; stop_reason?: string },
  usage: ModelServer["usage"],
): string[] {
  const {
    content,
    stop_reason,
    stop_sequence,
    usage: spent,
    ...message
  } = toMessageParam(asked, answer, usage);
  return [
    sse("message_start", {
      message: {
        ...message,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...spent, output_tokens: 1 },
      },
    }),
    sse("ping", {}),
    ...content.flatMap((block, index) => [
      sse("content_block_start", { index, content_block: emptied(block) }),
      ...deltasOf(block).map((delta) => sse("content_block_delta", { index, delta })),
      sse("content_block_stop", { index }),
    ]),
    sse("message_delta", {
      delta: { stop_reason, stop_sequence },
      usage: { output_tokens: spent.output_tokens },
    }),
    sse("message_stop", {}),
  ];
}

function emptied(block: Block): Block {
  if (block.type === "text") return { ...block, text: "" };
  return block.type === "tool_use" ? { ...block, input: {} } : block;
}

function deltasOf({ type, text: words = "", input }: Block): object[] {
  const json = JSON.stringify(input) ?? "";
  if (type === "text") return piecesOf(words).map((piece) => ({ type: "text_delta", text: piece }));
  return type === "tool_use"
    ? piecesOf(json).map((piece) => ({ type: "input_json_delta", partial_json: piece }))
    : [];
}

/** Whole characters. */
const PIECES = /[^]{1,12}/gu;
const piecesOf = (whole: string): readonly string[] => whole.match(PIECES) ?? [];

const sse = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

function errorOf(status: number) {
  const types: Record<number, string> = {
    429: "rate_limit_error",
    529: "overloaded_error",
    401: "authentication_error",
  };
  return {
    type: "error",
    error: { type: types[status] ?? "api_error", message: `The server says ${status}.` },
  };
}
