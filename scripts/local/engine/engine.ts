/**
 * A stand-in for the container engine on Linux: it answers what workerd asks of Docker, on a socket of its own, with boxes made of
 * namespaces. What workerd asks: https://github.com/cloudflare/workerd/blob/main/src/workerd/server/container-client.c%2B%2B
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { rm } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { describeError } from "../../../shared/errors.ts";
import { attach } from "./attach.ts";
import { Box } from "./box.ts";
import { Containers, Refusal } from "./containers.ts";
import { ROUTES } from "./routes.ts";

export interface Engine {
  /** Of workerd. */
  readonly socket: string;
  /** Ends all that runs in it, as a machine that goes away. */
  killAll(): Promise<void>;
  /** Images that were made are no more, as after a month at Cloudflare. */
  forgetImages(): Promise<void>;
  /** Ends all that runs in it, and takes away what it kept. */
  stop(): Promise<void>;
}

/** In words, why this machine cannot be one; null where it can. */
export async function whyNoEngine(): Promise<string | null> {
  if (process.platform !== "linux") return "it needs Linux";
  try {
    const box = await Box.start(["sleep", "60"], {}, null);
    await box.kill();
    return null;
  } catch (error) {
    return describeError(error);
  }
}

/** @param folder of its own, below which it keeps its socket and its images. */
export async function startEngine(folder: string): Promise<Engine> {
  const containers = new Containers(join(folder, "images"));
  const server = createServer((request, response) => {
    answer(containers, request, response).catch((error: unknown) => {
      const status = error instanceof Refusal ? error.status : 500;
      reply(response, status, { message: describeError(error) });
    });
  });
  server.on("upgrade", (request: IncomingMessage, socket, head: Buffer) =>
    attach(containers, request, socket, head),
  );
  const socket = join(folder, "engine.sock");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  return {
    socket,
    killAll: () => containers.killAll(),
    forgetImages: () => containers.forgetImages(),
    async stop() {
      server.close();
      server.closeAllConnections();
      await containers.clear();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answer(
  containers: Containers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://engine");
  const [collection = "", name, verb] = pathname
    .replace(/^\/v1\.\d+/, "")
    .slice(1)
    .split("/")
    .map(decodeURIComponent);
  const at = `${request.method} /${collection}`;
  const exact = verb === undefined ? ROUTES[name === undefined ? at : `${at}/${name}`] : undefined;
  const route = exact ?? ROUTES[`${at}/*${verb === undefined ? "" : `/${verb}`}`];
  if (route === undefined) throw new Refusal(501, `${at} is not known here`);
  const { status, body } = await route(containers, { name: name ?? "", query, body: await text(request) });
  reply(response, status, body);
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
