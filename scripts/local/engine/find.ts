/** What runs containers on this machine: Docker, where it runs, else an engine of our own. */
import { mkdir, mkdtemp } from "node:fs/promises";
import { request } from "node:http";
import { startEngine, whyNoEngine } from "./engine.ts";

const DOCKER_SOCKET = "/var/run/docker.sock";
/** A socket's path has 107 bytes: https://man7.org/linux/man-pages/man7/unix.7.html */
const FOLDER_CHARS_MAX = 90;
const PING_MS_MAX = 2_000;

export interface FoundEngine {
  /** For people. */
  readonly name: string;
  readonly socket: string;
  /** Its containers have this machine's programs: there is nothing to install. */
  readonly hasTools: boolean;
  stop(): Promise<void>;
}

/** @param folder of its own. @returns in words, why there is none. */
export async function findEngine(folder: string): Promise<FoundEngine | string> {
  const docker = dockerSocket();
  if (await answers(docker))
    return { name: "Docker", hasTools: false, socket: docker, stop: () => Promise.resolve() };
  const why = await whyNoEngine();
  if (why !== null) return `no Docker answers at ${docker}, and without it ${why}`;
  const own = folder.length > FOLDER_CHARS_MAX ? await mkdtemp("/tmp/errand-engine-") : folder;
  await mkdir(own, { recursive: true, mode: 0o700 });
  return { name: "this machine's own programs, in namespaces", hasTools: true, ...(await startEngine(own)) };
}

function dockerSocket(): string {
  const [, socket] = /^unix:\/\/(\/.+)$/.exec(process.env["DOCKER_HOST"] ?? "") ?? [];
  return socket ?? DOCKER_SOCKET;
}

function answers(socketPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const ping = request({ socketPath, path: "/_ping", timeout: PING_MS_MAX }, (response) => {
    response.resume();
    resolve(response.statusCode === 200);
  });
  ping.on("error", () => resolve(false));
  ping.on("timeout", () => ping.destroy(new Error("silent")));
  ping.end();
  return promise;
}
