/**
 * Cloudflare's API at its HTTP edge, for what wrangler and a deploy call: it keeps an account, refuses what Cloudflare refuses, and fails on
 * request. https://developers.cloudflare.com/api/
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Account, Refusal } from "./account.ts";
import { findRoute, type Request } from "./routes.ts";

export interface Fault {
  /** Of `METHOD path`. */
  match: RegExp;
  status: number;
  code: number;
  message: string;
  times: number;
}

export class CloudflareServer {
  readonly accountId = "0123456789abcdef0123456789abcdef";
  readonly token = "a-token-of-cloudflare-s";
  account = new Account();
  /** `METHOD path` of each request that was heard, in their order. */
  readonly heard: string[] = [];
  readonly faults: Fault[] = [];
  /** Parts of the account that the token may not see or change. */
  forbidden: RegExp | null = null;
  /** Asked of each request: "before" cuts the line instead of serving it, "after" when it was served. */
  cutOf: (nth: number) => "before" | "after" | null = () => null;
  private readonly server = createServer((request, response) => {
    void this.serve(request).then((answer) => {
      if (answer === null) return request.socket.destroy();
      const { status, body } = answer;
      return response
        .writeHead(status, { "content-type": typeof body === "string" ? "text/plain" : "application/json" })
        .end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return this.url;
  }

  /** With what the API's paths begin with. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/client/v4`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  reset(): void {
    this.account = new Account();
    this.heard.length = 0;
    this.faults.length = 0;
    this.forbidden = null;
    this.cutOf = () => null;
  }

  private async serve(message: IncomingMessage): Promise<{ status: number; body: unknown } | null> {
    const url = new URL(message.url ?? "/", this.url);
    const path = url.pathname.replace(/^\/client\/v4/, "");
    const said = `${message.method} ${path}`;
    const cut = this.cutOf(this.heard.push(said));
    if (cut === "before") return null;
    const body = await buffer(message);
    const answer = await this.answer(said, path, url, message, body);
    return cut === "after" ? null : answer;
  }

  private async answer(said: string, path: string, url: URL, message: IncomingMessage, body: Buffer) {
    try {
      // A link to an export is signed, and needs no token.
      if (path === "/export.sql") return { status: 200, body: "-- exported\n" };
      if (message.headers.authorization !== `Bearer ${this.token}` || this.forbidden?.test(said))
        throw new Refusal(403, 10_000, "Authentication error");
      const fault = this.faults.find(({ match, times }) => times > 0 && match.test(said));
      if (fault !== undefined) {
        fault.times--;
        throw new Refusal(fault.status, fault.code, fault.message);
      }
      const request: Request = { ...(await read(message, body)), query: url.searchParams, base: this.url };
      const result = findRoute(said, this.accountId)(this.account, request);
      // A file comes as it is.
      return {
        status: 200,
        body: result instanceof Uint8Array ? Buffer.from(result).toString() : envelope(result),
      };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const errors = [{ code: error.code, message: error.message }];
      return { status: error.status, body: { success: false, errors, messages: [], result: null } };
    }
  }
}

function envelope(result: unknown) {
  const count = Array.isArray(result) ? result.length : 0;
  const result_info = { page: 1, per_page: 1_000, count, total_count: count, total_pages: 1 };
  return { success: true, errors: [], messages: [], result, ...(Array.isArray(result) && { result_info }) };
}

/** A Worker comes as a form, whose part `metadata` describes the others. */
async function read(
  message: IncomingMessage,
  body: Buffer,
): Promise<{ json: Record<string, unknown>; list: unknown[] }> {
  const type = message.headers["content-type"] ?? "";
  if (type.startsWith("multipart/form-data")) {
    const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
    const metadata = form.get("metadata");
    const text = metadata instanceof Blob ? await metadata.text() : String(metadata);
    return { json: JSON.parse(text) as Record<string, unknown>, list: [] };
  }
  const json: unknown = body.length === 0 ? {} : JSON.parse(body.toString());
  return Array.isArray(json) ? { json: {}, list: json } : { json: json as Record<string, unknown>, list: [] };
}
