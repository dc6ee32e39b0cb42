/** A server that speaks the Messages API, at its HTTP edge: it answers as it is scripted, and fails as the real one does. */
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import type { AddressInfo } from "node:net";

export interface ModelRequest {
  headers: NodeJS.Dict<string | string[]>;
  body: {
    model: string;
    system: string;
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
  is_error?: boolean;
}

export type ModelAnswer =
  | { content: Block[]; stop_reason?: string }
  | { status: number; headers?: Record<string, string>; body?: unknown }
  /** Half of the body, and then the connection is cut. */
  | "half"
  /** Nothing, ever. */
  | "silence";

export class ModelServer {
  readonly requests: ModelRequest[] = [];
  /** Asked for every request. */
  answerTo: (request: ModelRequest) => ModelAnswer = () => says("Hello.");
  private readonly server = createServer((request, response) => {
    void text(request).then((body) => {
      const asked: ModelRequest = { headers: request.headers, body: JSON.parse(body) };
      this.requests.push(asked);
      const answer = this.answerTo(asked);
      if (answer === "silence") return;
      if (answer === "half") {
        response.writeHead(200, { "content-type": "application/json" });
        response.write('{"id":"msg_1","type":"message","role":"assi', () => request.socket.destroy());
        return;
      }
      const [status, sent] =
        "status" in answer
          ? [answer.status, answer.body ?? errorOf(answer.status)]
          : [200, messageOf(asked, answer)];
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

function messageOf(
  { body }: ModelRequest,
  { content, stop_reason = "end_turn" }: { content: Block[]; stop_reason?: string },
) {
  const usage = { input_tokens: 10, output_tokens: 5 };
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: body.model,
    content,
    stop_reason,
    stop_sequence: null,
    usage,
  };
}

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
