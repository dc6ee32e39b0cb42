/** The sidecar of a box: it leads the box's plain HTTP to workerd, for the hosts that workerd has named, and nothing else anywhere. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import { awaitCode, type Box } from "./box.ts";
import { enteringNetwork } from "./ids.ts";

const RELAY = fileURLToPath(import.meta.resolve("./relay.ts"));
/** An address that leads nowhere (RFC 5737): what workerd does not know by its host, it would connect to. */
const NOWHERE = "192.0.2.1:80";
const HEAD_BYTES_MAX = 64 * 1024;
const HOST = /\r\nhost:[ \t]*([^\s:]+)/i;
const NAME = /^[a-z0-9.-]+$/;
/** TLS is not led anywhere: see docs/decisions/0029. workerd reads this whether or not. */
const NO_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/** What workerd tells its sidecar. */
const Egress = z.object({
  /** Where it listens for what is led to it. */
  port: z.int(),
  dns: z.optional(z.object({ allowHostnames: z.optional(z.array(z.string())) })),
});

export class Sidecar {
  private server: Server | null = null;
  private box: Box | null = null;
  private relay: ChildProcess | null = null;
  private egressPort = 0;
  private hosts: readonly string[] = [];

  async start(): Promise<void> {
    if (this.server !== null) return;
    const server = createServer((request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  }

  /** Null: it does not run. */
  get port(): number | null {
    const address = this.server?.address() ?? null;
    return isInternet(address) ? address.port : null;
  }

  stop(): void {
    this.relay?.disconnect();
    this.server?.close();
    this.server?.closeAllConnections();
    this.server = null;
  }

  /** The box that it leads out of. */
  async lead(box: Box): Promise<void> {
    this.box = box;
    await this.arrange();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = `${request.method} ${request.url}`;
    if (asked === "PUT /egress") {
      const { port, dns } = Egress.parse(JSON.parse(await text(request)));
      this.egressPort = port;
      this.hosts = (dns?.allowHostnames ?? []).filter((name) => NAME.test(name));
      await this.arrange();
      response.end("{}");
    } else if (asked === "GET /ca") response.end(NO_CERTIFICATE);
    else response.writeHead(404).end();
  }

  /** The hosts are the box itself, where the relay waits for them. */
  private async arrange(): Promise<void> {
    const { box, hosts } = this;
    if (box === null || box.exitCode !== null) return;
    const lines = ["127.0.0.1 localhost", ...hosts.map((host) => `127.0.0.1 ${host}`)];
    const argv = ["sh", "-c", 'printf "%s\\n" "$@" >/etc/hosts', "sh", ...lines];
    await awaitCode(box.exec({ argv, env: {}, folder: null, stdin: false, stdout: false, stderr: false }));
    if (hosts.length > 0) this.relay ??= await startRelay(box, (socket) => this.connect(socket));
  }

  /** Leads one connection to workerd, if its first request is for one of the hosts. */
  private connect(socket: Socket): void {
    let head = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    const read = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const isWhole = head.includes("\r\n\r\n");
      if (!isWhole && head.length < HEAD_BYTES_MAX) return;
      socket.off("data", read);
      socket.pause();
      const [, host = ""] = HOST.exec(head.toString("latin1")) ?? [];
      if (isWhole && this.hosts.includes(host.toLowerCase())) this.tunnel(socket, host.toLowerCase(), head);
      else socket.destroy();
    };
    socket.on("data", read);
    socket.resume();
  }

  private tunnel(socket: Socket, host: string, head: Buffer): void {
    const egress = connect(this.egressPort, "127.0.0.1");
    egress.on("error", () => socket.destroy());
    egress.on("close", () => socket.end());
    socket.on("close", () => egress.end());
    egress.write(`CONNECT ${NOWHERE} HTTP/1.1\r\nHost: ${NOWHERE}\r\nX-Hostname: ${host}\r\n\r\n`);
    egress.once("data", (answer: Buffer) => {
      // 202 would be a way past the gate.
      if (!answer.toString("latin1").startsWith("HTTP/1.1 200 ")) {
        egress.destroy();
        socket.destroy();
        return;
      }
      egress.write(head);
      egress.pipe(socket);
      socket.pipe(egress);
    });
  }
}

const isInternet = (address: AddressInfo | string | null): address is AddressInfo =>
  address !== null && typeof address !== "string";

async function startRelay(box: Box, take: (socket: Socket) => void): Promise<ChildProcess> {
  const [command = "", ...args] = enteringNetwork(box.pid);
  const relay = spawn(command, [...args, process.execPath, RELAY], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: {},
    detached: true,
  });
  relay.on("message", (_word, handle) => {
    if (handle instanceof Socket) take(handle);
  });
  const failed = once(relay, "exit").then(() => Promise.reject(new Error("the relay of a box has ended")));
  failed.catch(() => undefined);
  await Promise.race([once(relay, "message"), failed]);
  return relay;
}
