/** What strangers get: another user of this machine, or somebody behind a tunnel that leads to it. */
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { request, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WEBHOOK_SECRET } from "../support/pipeline.ts";
import { install, type Running } from "../support/installation.ts";
import { environmentOf, listeningOf, treeOf } from "../support/process-tree.ts";

let errand: Awaited<ReturnType<typeof install>>;
let running: Running;
const secret = "sk-ant-a-key-that-only-the-planner-needs";
beforeAll(async () => {
  errand = await install();
  // It was there before, and everybody could read it.
  await mkdir(join(errand.state, "v3"), { mode: 0o755 });
  await writeFile(join(errand.state, "v3", "old"), "what people said", { mode: 0o644 });
  await chmod(errand.state, 0o755);
  running = await errand.start({ ANTHROPIC_API_KEY: secret });
});
afterAll(() => errand.remove());

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      text(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        reject,
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** What the runtime's simulator, its explorer and its inspector answer at. */
const SIMULATOR = [
  "/cdn-cgi/local/explorer",
  "/cdn-cgi/local/explorer/api/d1/database/errand/raw",
  "/cdn-cgi/local/scheduled?cron=*+*+*+*+*",
  "/cdn-cgi/local/email",
  "/cdn-cgi/local/platform-proxy",
  "/cdn-cgi/local/r2/public/errand-files/files/0",
  "/cdn-cgi/local/r2/s3/errand-files",
  "/cdn-cgi/mf/scheduled",
  "/cdn-cgi/explorer",
  "/cdn-cgi/handler/scheduled",
  "/json",
  "/json/list",
  "/core:user:errand-ingress",
];
const SPELLINGS: readonly Record<string, string>[] = [
  {},
  { host: "localhost" },
  { host: "127.0.0.1", origin: "http://localhost" },
  { host: "bot.example.com", origin: "https://bot.example.com", "x-forwarded-proto": "https" },
];
/** How miniflare's own parts speak to each other. */
const INSIDERS: readonly Record<string, string>[] = [
  { "mf-route-override": "errand-ingress" },
  { "mf-route-override": "errand-planner" },
  { "mf-route-override": "errand-runner" },
  { "mf-route-override": "caretaker" },
  { "mf-original-url": "http://runner/run" },
  { "mf-op": "GET", "mf-op-target": "{}" },
  { "mf-loopback-secret": "guess" },
  { "mf-proxy-shared-secret": "guess" },
  { "mf-custom-service": "0:#:RUNNER", "mf-custom-node-service": "0:#:RUNNER" },
];

describe("the port", () => {
  it("serves the bot, its health and its API, and nothing of the simulator", async () => {
    expect(await ask(errand.port, "/")).toMatchObject({ status: 200 });
    expect(await ask(errand.port, "/health")).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect(await ask(errand.port, "/v1/tasks")).toMatchObject({ status: 401 });
    expect(await ask(errand.port, "/hooks/telegram", {}, "POST")).toMatchObject({ status: 401 });
    for (const path of SIMULATOR) {
      for (const headers of [...SPELLINGS, ...INSIDERS]) {
        const { status, body } = await ask(errand.port, path, headers);
        const [plain = ""] = path.split("?");
        expect({ status, body: JSON.parse(body) }, `${path} ${JSON.stringify(headers)}`).toEqual({
          status: 404,
          body: expect.objectContaining({ detail: `There is nothing at GET ${plain}.` }),
        });
      }
    }
  });
});

describe.runIf(existsSync("/proc/net/tcp"))("every other socket of the process tree", () => {
  const strange = () => listeningOf(treeOf(running.pid)).filter(({ port }) => port !== errand.port);

  it("refuses whatever strangers ask", async () => {
    expect(listeningOf(treeOf(running.pid)).map(({ port }) => port)).toContain(errand.port);
    const refused: string[] = [];
    for (const { port } of strange()) {
      for (const path of ["/", "/run", "/health", "/v1/tasks", ...SIMULATOR]) {
        for (const headers of [...SPELLINGS, ...INSIDERS]) {
          for (const method of ["GET", "POST"]) {
            const { status, body } = await ask(port, path, headers, method);
            const what = `${method} ${path} ${JSON.stringify(headers)} on ${port}: ${status} ${body}`;
            expect(status, what).toBeGreaterThanOrEqual(400);
            expect(body, what).not.toMatch(/Errand|Bearer|sqlite|D1_|secret|errand_default/);
            refused.push(what);
          }
        }
      }
    }
    expect(refused.length).toBeGreaterThan(100);
  });

  it.each(["GET http://runner/run HTTP/1.1", "POST /../../run HTTP/1.1", "GET /nothing/../run HTTP/1.1"])(
    "is not fooled by %s",
    async (line) => {
      for (const { port } of strange()) {
        const socket = connect(port, "127.0.0.1");
        socket.end(`${line}\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        expect(await text(socket)).toMatch(/^HTTP\/1\.1 [45]/);
      }
    },
  );

  it("leads nobody to the caretaker, who would run their SQL", async () => {
    const body = JSON.stringify({ do: "batch", statements: [{ sql: "SELECT label FROM api_keys" }] });
    for (const { port } of strange()) {
      const headers = { "mf-route-override": "caretaker", authorization: "guess" };
      const answer = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers, body });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(await answer.text()).not.toContain("this machine");
    }
  });

  it("belongs to processes that know no secret but their own", () => {
    const workerds = treeOf(running.pid).filter((pid) => environmentOf(pid).startsWith("TZ=UTC"));
    expect(workerds).toHaveLength(2);
    for (const pid of workerds) {
      const environment = environmentOf(pid);
      for (const hidden of [errand.telegram.token, WEBHOOK_SECRET, secret, "npm_"])
        expect(environment).not.toContain(hidden);
    }
  });
});

describe("the state folder", () => {
  it("is the owner's alone, with everything in it, also with what was there before", async () => {
    const entries = await readdir(errand.state, { recursive: true });
    expect(entries.length).toBeGreaterThan(10);
    const open: string[] = [];
    for (const name of ["", ...entries]) {
      const { mode = 0 } = (await stat(join(errand.state, name)).catch(() => null)) ?? {};
      if ((mode & 0o077) !== 0) open.push(name);
    }
    expect(open).toEqual([]);
  });
});
