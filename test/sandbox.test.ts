/** The contract of a sandbox, which every implementation passes: whatever a job does, its end is told as what it was, and the others go on. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bundleAll } from "../scripts/installation/bundle.ts";
import { readWorkerConfig } from "../scripts/installation/worker-config.ts";
import { LocalRunner } from "../scripts/local/runner.ts";
import { makeWorkerOptions } from "../scripts/local/worker-options.ts";
import { LIMITS } from "../shared/limits.ts";
import { EmbeddedSandbox } from "../workers/executor/sandboxes/embedded.ts";
import type { JobEnd, Sandbox } from "../workers/executor/sandboxes/sandbox.ts";

/** A job may take so long, where it does not matter how long. */
const WALL_MS = 20_000;
const SHORT_MS = 1_000;
const QUEUE_MS = 120_000;
/** For the day when a job never ends. */
const LOOKS_MAX = 100;

vi.spyOn(console, "warn").mockImplementation(() => undefined);

/** The embedded one: a real runner, behind a real connection. */
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

const IMPLEMENTATIONS = [["embedded", openEmbedded]] as const;

const bytes = (text: string) => new TextEncoder().encode(text).slice();
const laid = (files: Record<string, string>) =>
  Object.entries(files).map(([path, text]) => ({ path, content: bytes(text) }));

async function end(sandbox: Sandbox, jobId: string): Promise<JobEnd> {
  let output = "";
  let next = 0;
  for (let look = 1; look <= LOOKS_MAX; look++) {
    const state = await sandbox.poll(jobId, next, 5_000);
    output += state.output;
    ({ next } = state);
    if (state.kind !== "running") return { ...state, output };
  }
  throw new Error(`${jobId} does not end`);
}

async function left(sandbox: Sandbox): Promise<Record<string, string | null>> {
  const files = await sandbox.take();
  const read = (content: Uint8Array | null) => content && new TextDecoder().decode(content);
  return Object.fromEntries(files.map(({ path, content }) => [path, read(content)]));
}

describe.each(IMPLEMENTATIONS)("the %s sandbox", (_, openImplementation) => {
  let implementation: Awaited<ReturnType<typeof openImplementation>>;
  beforeAll(async () => {
    implementation = await openImplementation();
  });
  afterAll(() => implementation.close());

  async function run(script: string, files: Record<string, string> = {}, wallMs = WALL_MS) {
    const sandbox = implementation.open();
    await sandbox.put(laid(files));
    await sandbox.start("job", script, { wallMs });
    return { sandbox, end: await end(sandbox, "job") };
  }

  it("runs a script over its files, and tells what is other than it was", async () => {
    const files = { "in/sales.csv": "May,4\nJune,6\n", "old.txt": "old", "same.txt": "same" };
    const script =
      "sort -t, -k2 -n -r in/sales.csv > out.csv; rm old.txt; mkdir -p a/b; echo ü > 'a/b/odd name.txt'; cat out.csv; echo no >&2";
    const { sandbox, end: ended } = await run(script, files);
    expect(ended).toMatchObject({ kind: "exited", code: 0, output: "June,6\nMay,4\nno\n" });
    expect(await left(sandbox)).toEqual({
      "out.csv": "June,6\nMay,4\n",
      "a/b/odd name.txt": "ü\n",
      "old.txt": null,
    });
  });

  it("keeps bytes as they are, and what one job leaves for the next", async () => {
    const sandbox = implementation.open();
    const content = Uint8Array.from({ length: 256 }, (_unused, index) => index);
    await sandbox.put([{ path: "bytes.bin", content }]);
    await sandbox.start("one", "cat bytes.bin bytes.bin > twice.bin", { wallMs: WALL_MS });
    await sandbox.start("two", "wc -c < twice.bin", { wallMs: WALL_MS });
    expect(await end(sandbox, "two")).toMatchObject({ kind: "exited", code: 0, output: "512\n" });
    const [twice] = await sandbox.take();
    expect([...(twice?.content ?? [])]).toEqual([...content, ...content]);
  });

  it("runs a job of one id once", async () => {
    const sandbox = implementation.open();
    for (let time = 0; time < 3; time++)
      await sandbox.start("same", "echo once >> log; cat log", { wallMs: WALL_MS });
    expect(await end(sandbox, "same")).toMatchObject({ kind: "exited", output: "once\n" });
    // Asked on from where it was read.
    expect(await sandbox.poll("same", 2, 0)).toMatchObject({ kind: "exited", output: "ce\n" });
    expect(await sandbox.poll("another", 0, 0)).toMatchObject({ kind: "lost" });
  });

  it.each([
    ["exit 0", 0],
    ["exit 7", 7],
    ["false", 1],
    ["if then", 2],
    ["git status", 127],
  ])("tells of %s that it is %i", async (script, code) => {
    expect((await run(script)).end).toMatchObject({ kind: "exited", code });
  });

  it("lets a quiet job be quiet, within its time", async () => {
    const { end: ended } = await run("sleep 1.5; echo done");
    expect(ended).toMatchObject({ kind: "exited", code: 0, output: "done\n" });
  });

  it("tells that the time was over, and keeps nothing of the job", async () => {
    const { sandbox, end: ended } = await run(
      "echo begun; echo x > half; sleep 60; echo never",
      {},
      SHORT_MS,
    );
    expect(ended.kind).toBe("timed_out");
    expect(ended.output).not.toContain("never");
    expect(await left(sandbox)).toEqual({});
    // That a command of the script's was given too little time is the script's own end.
    expect((await run("timeout 0.2 sleep 5")).end).toMatchObject({ kind: "exited", code: 124 });
  });

  it.each([
    ["a loop", "while :; do :; done"],
    ["a loop with work", "i=0; while true; do i=$((i+1)); x=$x$i; done"],
    ["a fork bomb", ":(){ :|:& };:"],
    ["a recursion", "f() { f; }; f"],
    ["awk", "awk 'BEGIN { while (1) i++ }'"],
    ["jq", "jq -n 'def f: f; f'"],
    ["sed", "echo x | sed ':a; s/x/x/; ta'"],
    ["growth", "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done"],
    ["a catastrophic pattern", `echo ${"a".repeat(60)}b | grep -E '^(a+)+$'`],
    ["a diff bomb", "seq 1 30000 > a; seq 30000 -1 1 > b; diff a b"],
    ["a hidden diff bomb", "seq 1 30000 > -a; seq 30000 -1 1 > -b; diff -- -a -b"],
    ["a huge sort", "for i in 1 2 3 4 5 6; do seq 1 90000; done > n; cat n n > m; sort -r m | tail -1"],
    ["50 MB of output", "for i in $(seq 1 5000); do printf '%010000d\\n' $i; done"],
    ["a wide printf", "printf '%999999999d' 1"],
  ])("ends %s, and runs the next", async (_name, script) => {
    const { end: ended } = await run(script, {}, SHORT_MS);
    expect(["exited", "timed_out", "lost"]).toContain(ended.kind);
    // No end of its own: the time was over.
    expect(ended).not.toMatchObject({ kind: "exited", code: 124 });
    expect(ended.output.length).toBeLessThanOrEqual(LIMITS.output_chars_max + 1);
    expect((await run("echo next")).end).toMatchObject({ kind: "exited", code: 0, output: "next\n" });
  });

  it("ends a job that is cancelled, keeps nothing of it, and runs the next", async () => {
    const sandbox = implementation.open();
    await sandbox.start("long", "echo x > kept; sleep 60", { wallMs: WALL_MS });
    expect(await sandbox.poll("long", 0, 500)).toMatchObject({ kind: "running" });
    await sandbox.cancel("long");
    expect(await end(sandbox, "long")).toMatchObject({ kind: "cancelled" });
    expect(await left(sandbox)).toEqual({});
    await sandbox.cancel("long");
    expect((await run("echo next")).end).toMatchObject({ kind: "exited", output: "next\n" });
  });

  it("has no network, no environment and nothing of this machine", async () => {
    const secret = "canary-8c1f2d";
    vi.stubEnv("ERRAND_CANARY", secret);
    const script =
      "env; export; cat /proc/self/environ /proc/1/environ /etc/passwd; ls -la / /etc ~; curl http://127.0.0.1/; wget http://example.org/; echo > /dev/tcp/127.0.0.1/80; id; hostname; ls /workspace/..";
    const { end: ended } = await run(script);
    expect(ended.output).not.toMatch(/canary|ERRAND|TOKEN|KEY=|root:|npm_|\/work\/|\/home/);
    expect(ended.output).toMatch(/curl: command not found/);
    vi.unstubAllEnvs();
  });

  it("has nothing of another", async () => {
    await run("echo mine > mine; echo mine > /tmp/mine");
    const { sandbox, end: ended } = await run("ls -A . /tmp");
    expect(ended.output).not.toContain("mine");
    expect(await left(sandbox)).toEqual({});
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

  it("says how much it is that cannot come back", async () => {
    const many = await run("for i in $(seq 1 1001); do : > f$i; done");
    expect(many.end).toMatchObject({ kind: "refused", reason: expect.stringContaining("1001 files") });
    const big = "x=$(printf '%01000000d' 1); for i in $(seq 1 9); do printf $x > f$i; cp f$i g$i; done";
    expect((await run(big)).end).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("16 MiB"),
    });
  });

  it("takes scripts as other systems write them", async () => {
    expect((await run("if true\r\nthen echo yes\r\nfi\r\n")).end).toMatchObject({ code: 0, output: "yes\n" });
    expect((await run("#!/bin/bash\ncat <<E\nfirst\nE\n# no more")).end).toMatchObject({ output: "first\n" });
  });

  it("leaves no link, and names it", async () => {
    const { sandbox, end: ended } = await run("ln -s ../../etc/passwd out; ln -s in.txt in; echo x > in.txt");
    expect(ended.output).toContain("(out is a link, and is not kept)");
    expect(await left(sandbox)).toEqual({ "in.txt": "x\n" });
  });
});
