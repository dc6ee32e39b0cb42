/** The embedded sandbox: a real runner, behind a real connection. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { bundleAll } from "../../scripts/installation/bundle.ts";
import { readWorkerConfig } from "../../scripts/installation/worker-config.ts";
import { LocalRunner } from "../../scripts/local/runner.ts";
import { makeWorkerOptions } from "../../scripts/local/worker-options.ts";
import { EmbeddedSandbox } from "../../workers/executor/sandboxes/embedded.ts";
import type { Sandbox } from "../../workers/executor/sandboxes/sandbox.ts";
import { keepsTheContract, left, makeRun } from "./contract.ts";

const QUEUE_MS = 120_000;
vi.spyOn(console, "warn").mockImplementation(() => undefined);

async function openEmbedded() {
  const config = await readWorkerConfig("runner");
  const [script = ""] = await bundleAll([config.main]);
  const runner = new LocalRunner({ ...makeWorkerOptions(config, {}, script), script }, () => undefined);
  await runner.ready();
  const server = createServer((request, response) => {
    runner.serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/run`;
  const binding = { fetch: (_: unknown, request: unknown) => fetch(url, request as RequestInit) };
  return {
    open: (): Sandbox => new EmbeddedSandbox(binding, QUEUE_MS),
    async close() {
      await runner.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}

let embedded: Awaited<ReturnType<typeof openEmbedded>>;
beforeAll(async () => {
  embedded = await openEmbedded();
});
afterAll(() => embedded.close());
const open = () => embedded.open();
const run = makeRun(open);

keepsTheContract("embedded", open);

it("has no network, no environment and nothing of this machine", async () => {
  const script =
    "env; export; cat /proc/self/environ /proc/1/environ /etc/passwd; ls -la / /etc ~; curl http://127.0.0.1/; wget http://example.org/; echo > /dev/tcp/127.0.0.1/80; id; hostname; ls /workspace/..";
  const { end: ended } = await run(script);
  expect(ended.output).not.toMatch(/canary|ERRAND|TOKEN|KEY=|root:|npm_|\/work\/|\/home/);
  expect(ended.output).toMatch(/curl: command not found/);
});

it("refuses what it would break in silence, and does the same by awk", async () => {
  const files = { "f.csv": "März,4\nMai,6\n" };
  const read = 'while IFS= read -r line; do echo "$line" >> copy; done < f.csv';
  const { sandbox, end: ended } = await run(read, files);
  expect(ended).toMatchObject({ kind: "refused", reason: expect.stringContaining("use awk") });
  expect(await left(sandbox)).toEqual({});
  expect((await run(read, { "f.csv": "May,4\n" })).end).toMatchObject({ kind: "exited", code: 0 });
  const other = await run(
    "awk -F, '{ print $2 > $1 }' f.csv; for w in $(cat f.csv); do echo $w; done",
    files,
  );
  expect(other.end).toMatchObject({ kind: "exited", output: "März,4\nMai,6\n" });
  expect(await left(other.sandbox)).toEqual({ März: "4\n", Mai: "6\n" });
});

it("has no git, and says so", async () => {
  expect((await run("git status")).end).toMatchObject({ kind: "exited", code: 127 });
});
