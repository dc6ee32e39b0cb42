/** Commands in a box, and their streams on one connection, as Docker frames them: https://docs.docker.com/reference/api/engine/#tag/Container/operation/ContainerAttach */
import type { ChildProcess } from "node:child_process";
import type { IncomingMessage } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { awaitCode } from "./box.ts";
import type { Containers } from "./containers.ts";

const STDOUT = 1;
const STDERR = 2;
const FRAME_HEAD_BYTES = 8;
/** A command that has ended may have left its streams to others: so long they are still read. */
const LINGER_MS = 2_000;
const UPGRADED =
  "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

/** Begins what was prepared. Throws a Refusal where there is nothing. */
export function begin(containers: Containers, id: string): ChildProcess {
  const execution = containers.execution(id);
  const process = containers.running(execution.container).exec(execution.command);
  execution.pid = process.pid ?? 0;
  void awaitCode(process).then((code) => (execution.exitCode = code));
  return process;
}

/** The same, with its streams on this connection. */
export function attach(containers: Containers, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const [, id = ""] = /\/exec\/([^/]+)\/start/.exec(request.url ?? "") ?? [];
  // Node.js hands over the request's own body with what comes after it.
  const bodyBytes = Number(request.headers["content-length"] ?? 0);
  socket.on("error", () => socket.destroy());
  let process: ChildProcess;
  try {
    process = begin(containers, id);
  } catch {
    socket.end("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  socket.write(UPGRADED);
  const { stdout, stderr } = process;
  const sent = [
    stdout === null ? Promise.resolve() : frame(stdout, STDOUT, socket),
    stderr === null ? Promise.resolve() : frame(stderr, STDERR, socket),
  ];
  feed(process, socket, bodyBytes, head);
  const ended = awaitCode(process);
  void ended.then(() => setTimeout(() => socket.end(), LINGER_MS).unref());
  void Promise.all([ended, ...sent]).then(() => socket.end());
}

/** What comes is the command's stdin, behind the body of the request. */
function feed({ stdin }: ChildProcess, socket: Duplex, bodyBytes: number, head: Buffer): void {
  let toSkip = bodyBytes;
  const take = (chunk: Buffer) => {
    const skipped = Math.min(toSkip, chunk.length);
    toSkip -= skipped;
    const rest = chunk.subarray(skipped);
    if (rest.length === 0 || stdin === null || stdin.write(rest)) return;
    socket.pause();
    stdin.once("drain", () => socket.resume());
  };
  // A command need not read it.
  stdin?.on("error", () => socket.resume());
  take(head);
  socket.on("data", take);
  socket.on("end", () => stdin?.end());
}

/** Resolves when the stream has ended. */
function frame(stream: Readable, kind: number, socket: Duplex): Promise<void> {
  stream.on("data", (chunk: Buffer) => {
    const header = Buffer.alloc(FRAME_HEAD_BYTES);
    header[0] = kind;
    header.writeUInt32BE(chunk.length, 4);
    socket.write(header);
    if (socket.write(chunk)) return;
    stream.pause();
    socket.once("drain", () => stream.resume());
  });
  return new Promise((resolve) => stream.once("close", () => resolve()));
}
