/** The contract of a sandbox, which every implementation passes: whatever a job does, its end is told as what it was, and the others go on. */
import { describe, expect, it, vi } from "vitest";
import type { JobEnd } from "../../shared/contracts/job.ts";
import { LIMITS } from "../../shared/limits.ts";
import { chance, LONG, sample } from "../support/seed.ts";
import type { Sandbox } from "../../workers/executor/sandboxes/sandbox.ts";

/** A job may take so long, where it does not matter how long. */
export const WALL_MS = 20_000;
const SHORT_MS = 700;
/** For the day when a job never ends. */
const LOOKS_MAX = 100;

const bytes = (text: string) => new TextEncoder().encode(text).slice();
const laid = (files: Record<string, string>) =>
  Object.entries(files).map(([path, text]) => ({ path, content: bytes(text) }));

export async function end(sandbox: Sandbox, jobId: string): Promise<JobEnd> {
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

export async function left(sandbox: Sandbox): Promise<Record<string, string | null>> {
  const files = await sandbox.take();
  const read = (content: Uint8Array | null) => content && new TextDecoder().decode(content);
  return Object.fromEntries(files.map(({ path, content }) => [path, read(content)]));
}

/** Runs a script to its end, in a sandbox of its own. */
export type Run = (
  script: string,
  files?: Record<string, string>,
  wallMs?: number,
) => Promise<{ sandbox: Sandbox; end: JobEnd }>;

/** @param open makes a new one. */
export const makeRun =
  (open: () => Sandbox): Run =>
  async (script, files = {}, wallMs = WALL_MS) => {
    const sandbox = open();
    await sandbox.put(laid(files));
    await sandbox.start("job", script, { wallMs });
    return { sandbox, end: await end(sandbox, "job") };
  };

/** Tells the suite of an implementation. @param bombs how many of the worst in the short run. */
export function keepsTheContract(name: string, open: () => Sandbox, bombs: number = BOMBS.length): void {
  const run = makeRun(open);
  describe(`the ${name} sandbox`, () => {
    tellOfJobs(open, run);
    tellOfBombs(name, run, bombs);
    tellOfFiles(open, run);
  });
}

function tellOfJobs(open: () => Sandbox, run: Run): void {
  it("runs a job of one id once", async () => {
    const sandbox = open();
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
    ["nonesuch", 127],
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
  it("ends a job that is cancelled, keeps nothing of it, and runs the next", async () => {
    const sandbox = open();
    await sandbox.start("long", "echo x > kept; sleep 60", { wallMs: WALL_MS });
    expect(await sandbox.poll("long", 0, 500)).toMatchObject({ kind: "running" });
    await sandbox.cancel("long");
    expect(await end(sandbox, "long")).toMatchObject({ kind: "cancelled" });
    expect(await left(sandbox)).toEqual({});
    await sandbox.cancel("long");
    expect((await run("echo next")).end).toMatchObject({ kind: "exited", output: "next\n" });
  });
}

/** What would not end by itself, or break whoever runs it. */
const BOMBS = [
  ["a fork bomb", ":(){ :|:& };:"],
  ["50 MB of output", "for i in $(seq 1 5000); do printf '%010000d\\n' $i; done"],
  ["a loop", "while :; do :; done"],
  ["a diff bomb", "seq 1 30000 > a; seq 30000 -1 1 > b; diff a b"],
  ["a huge sort", "for i in 1 2 3 4 5 6; do seq 1 90000; done > n; cat n n > m; sort -r m | tail -1"],
] as const;
/** The like of them: one of them in the short run. */
const MORE_BOMBS = [
  ["a loop with work", "i=0; while true; do i=$((i+1)); x=$x$i; done"],
  ["a recursion", "f() { f; }; f"],
  ["awk", "awk 'BEGIN { while (1) i++ }'"],
  ["jq", "jq -n 'def f: f; f'"],
  ["sed", "echo x | sed ':a; s/x/x/; ta'"],
  ["growth", "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done"],
  ["a catastrophic pattern", `echo ${"a".repeat(60)}b | grep -E '^(a+)+$'`],
  ["a hidden diff bomb", "seq 1 30000 > -a; seq 30000 -1 1 > -b; diff -- -a -b"],
  ["a wide printf", "printf '%999999999d' 1"],
] as const;

function tellOfBombs(name: string, run: Run, bombs: number): void {
  it.each([...BOMBS.slice(0, LONG ? BOMBS.length : bombs), ...sample(MORE_BOMBS, 1, chance(name))])(
    "ends %s, and runs the next",
    async (_name, script) => {
      const { end: ended } = await run(script, {}, SHORT_MS);
      expect(["exited", "timed_out", "lost"]).toContain(ended.kind);
      // No end of its own: the time was over.
      expect(ended).not.toMatchObject({ kind: "exited", code: 124 });
      expect(ended.output.length).toBeLessThanOrEqual(LIMITS.output_chars_max + 1);
      expect((await run("echo next")).end).toMatchObject({ kind: "exited", code: 0, output: "next\n" });
    },
  );
}

function tellOfFiles(open: () => Sandbox, run: Run): void {
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
    const sandbox = open();
    const content = Uint8Array.from({ length: 256 }, (_unused, index) => index);
    await sandbox.put([{ path: "bytes.bin", content }]);
    await sandbox.start("one", "cat bytes.bin bytes.bin > twice.bin", { wallMs: WALL_MS });
    expect(await end(sandbox, "one")).toMatchObject({ kind: "exited", code: 0 });
    await sandbox.start("two", "wc -c < twice.bin", { wallMs: WALL_MS });
    expect(await end(sandbox, "two")).toMatchObject({ kind: "exited", code: 0, output: "512\n" });
    const [twice] = await sandbox.take();
    expect([...(twice?.content ?? [])]).toEqual([...content, ...content]);
  });

  it("has nothing of another", async () => {
    await run("echo mine > mine; echo mine > /tmp/mine");
    const { sandbox, end: ended } = await run("ls -A . /tmp");
    expect(ended.output).not.toContain("mine");
    expect(await left(sandbox)).toEqual({});
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

  it("has no secret of this machine", async () => {
    const secret = "canary-8c1f2d";
    vi.stubEnv("ERRAND_CANARY", secret);
    const script =
      "env; export; cat /proc/self/environ /proc/1/environ; ls -la / /etc ~ /work /home; cat /etc/shadow /work/main/package.json";
    const { end: ended } = await run(script);
    expect(ended.output).not.toMatch(/canary|TOKEN|KEY=|npm_|dependencies|\$6\$|\$y\$/);
    vi.unstubAllEnvs();
  });
}
