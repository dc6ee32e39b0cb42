/** Whoever is told of alerts at an HTTP address: it keeps what it was sent, and fails on request. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import type { AddressInfo } from "node:net";

interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export class SinkServer {
  /** What was taken. */
  readonly received: Received[] = [];
  /** What it answers to each, in turn; then 204. `silence`: nothing, ever. */
  readonly answers: (number | "silence")[] = [];
  asked = 0;
  private readonly server = createServer((request, response) => {
    void text(request).then((body) => {
      this.asked++;
      const status = this.answers.shift() ?? 204;
      if (status === "silence") return;
      if (status < 300) this.received.push({ path: request.url ?? "", headers: request.headers, body });
      response.writeHead(status).end();
    });
  });

  /** @returns host and port. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
