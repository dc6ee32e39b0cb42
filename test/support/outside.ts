/** What lies outside of a container's gate: a host with a repository that only a token opens, and one that says what it was told. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Outbound } from "../../scripts/local/runtime.ts";

const run = promisify(execFile);

/** One request as it came out. */
interface Heard {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | null;
}

/** @param token opens `http://git.example/repo.git`. */
export async function openOutside(token: string) {
  const folder = await mkdtemp(join(tmpdir(), "errand-outside-"));
  const git = (...args: string[]) => run("git", ["-C", folder, ...args]);
  await git("init", "-q", "work");
  await writeFile(join(folder, "work/test.py"), "assert 6 * 7 == 42\nprint('passed')\n");
  await git("-C", "work", "add", ".");
  await git("-C", "work", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "one");
  await git("clone", "-q", "--bare", "work", "repo.git");
  await git("-C", "repo.git", "update-server-info");
  const heard: Heard[] = [];

  const answer = async (method: string, url: URL, authorization: string | null): Promise<Answer> => {
    if (url.pathname === "/moved") return { status: 302, location: "http://other.example/there" };
    if (url.pathname === "/large") return { status: 200, body: Buffer.alloc(1024 * 1024, "x") };
    if (!url.pathname.startsWith("/repo.git/"))
      return { status: 200, body: Buffer.from(`${method} ${url.pathname}\n`) };
    if (authorization !== `Bearer ${token}`) return { status: 401 };
    const body = await readFile(join(folder, url.pathname)).catch(() => null);
    return body === null ? { status: 404 } : { status: 200, body };
  };
  return {
    heard,
    /** In place of the Internet. */
    outbound: (async (request: OutboundRequest) => {
      const url = new URL(request.url);
      const authorization = request.headers.get("authorization");
      heard.push({ method: request.method, url: request.url, authorization });
      const { status, location, body } = await answer(request.method, url, authorization);
      const { Response: Answered } = await import("miniflare");
      return new Answered(body ?? null, { status, headers: location === undefined ? {} : { location } });
    }) as unknown as Outbound,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

type OutboundRequest = { url: string; method: string; headers: { get(name: string): string | null } };

interface Answer {
  readonly status: number;
  readonly location?: string;
  readonly body?: Buffer<ArrayBuffer>;
}
