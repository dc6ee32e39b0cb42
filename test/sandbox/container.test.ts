/** The container sandbox: real hands, on the engine of this machine, where it can be one. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ContainerSandbox } from "../../workers/executor/sandboxes/container.ts";
import type { Sandbox } from "../../workers/executor/sandboxes/sandbox.ts";
import { noEngine } from "../support/engine.ts";
import { openHands } from "../support/hands.ts";
import { LONG } from "../support/seed.ts";
import { end, keepsTheContract, left, makeRun, WALL_MS } from "./contract.ts";

describe.skipIf(noEngine !== null)(`on the engine${noEngine === null ? "" : `: ${noEngine}`}`, () => {
  let containers: Awaited<ReturnType<typeof openHands>>;
  beforeAll(async () => {
    containers = await openHands();
  });
  afterAll(() => containers.close());
  let opened = 0;
  const open = (): Sandbox => new ContainerSandbox(containers.hands, `conversation_${opened++}`);
  const run = makeRun(open);

  // Where it is bash itself that ends, the short run is content with what only bounds end.
  keepsTheContract("container", open, 2);

  it("has what the embedded one lacks, and no network", async () => {
    const script =
      "git init -q . && git -c user.name=x -c user.email=x@x commit -q --allow-empty -m one && git log --format=%s; python3 -c 'print(6*7)'; rm -r .git; curl -sS http://example.org/; curl -sS http://127.0.0.1/";
    const { end: ended } = await run(script);
    expect(ended.output).toMatch(/^one\n42\n/);
    expect(ended.output).toMatch(/Could not resolve host: example.org/);
  });

  it("reads letters as they are", async () => {
    const { sandbox } = await run('while read -r line; do echo "$line" >> copy; done < in', { in: "März\n" });
    expect(await left(sandbox)).toEqual({ copy: "März\n" });
  });

  it("shows what a job prints while it runs, whole letters only", async () => {
    const sandbox = open();
    await sandbox.start("slow", "printf 'M\\303'; sleep 1; printf '\\244rz'; sleep 60", { wallMs: WALL_MS });
    const first = await sandbox.poll("slow", 0, 500);
    expect(first).toMatchObject({ kind: "running", output: "M", next: 1 });
    expect(await sandbox.poll("slow", 1, 2_000)).toMatchObject({ kind: "running", output: "ärz" });
    await sandbox.cancel("slow");
  });

  it("finds nothing of what a job before it has left half done", async () => {
    const name = `conversation_${opened++}`;
    const one = new ContainerSandbox(containers.hands, name);
    await one.start("stopped", "echo x > half; sleep 60", { wallMs: WALL_MS });
    await one.poll("stopped", 0, 300);
    await one.cancel("stopped");
    const other = new ContainerSandbox(containers.hands, name);
    await other.start("next", "ls -A", { wallMs: WALL_MS });
    expect(await end(other, "next")).toMatchObject({ kind: "exited", output: "" });
  });

  it("keeps both names of a file, and has no terminal", async () => {
    const { sandbox, end: ended } = await run("echo hi > a; ln a b; ls /dev/tty; ps -o tty= -p 1");
    expect(ended.output).toMatch(/No such file[^]*\?/);
    expect(await left(sandbox)).toEqual({ a: "hi\n", b: "hi\n" });
  });

  it.runIf(LONG)("takes no full disk for success, and begins anew after it", async () => {
    const sandbox = open();
    await sandbox.start("full", "dd if=/dev/zero of=/root/fill bs=1M 2>/dev/null; exit 7", {
      wallMs: WALL_MS,
    });
    expect(await end(sandbox, "full")).toMatchObject({ kind: "lost" });
    await sandbox.start("next", "echo next", { wallMs: WALL_MS });
    expect((await end(sandbox, "next")).kind).toBe("not_started");
    const again = await run("echo again");
    expect(again.end).toMatchObject({ kind: "exited", output: "again\n" });
  });

  it("counts what a job has left before it reads it", async () => {
    const { end: ended } = await run("truncate -s 100G huge; truncate -s 100G more");
    expect(ended).toMatchObject({ kind: "refused", reason: expect.stringContaining("204800 MiB") });
  });

  it("keeps the beginning and the end of what is long", async () => {
    const { end: ended } = await run("echo first; seq 1 400000; echo last");
    expect(ended.output).toMatch(/^first\n1\n2\n[^]* bytes are left out\) …\n[^]*400000\nlast\n$/);
  });

  it.each([
    ["ends by itself", "exit 0", "exited"],
    ["is cancelled", "sleep 60", "cancelled"],
    ["takes too long", "sleep 60", "timed_out"],
  ])("leaves nothing of a job that %s, whatever it has begun", async (_, ending, kind) => {
    const sandbox = open();
    const begin =
      "setsid sh -c 'sleep 41' & (sleep 42 & sleep 42 &) ; nohup env -i setsid sleep 43 >/dev/null 2>&1 & ";
    await sandbox.start("forks", `${begin} sleep 0.2; ${ending}`, {
      wallMs: kind === "timed_out" ? 1_000 : WALL_MS,
    });
    if (kind === "cancelled") {
      await sandbox.poll("forks", 0, 500);
      await sandbox.cancel("forks");
    }
    expect((await end(sandbox, "forks")).kind).toBe(kind);
    await sandbox.start("look", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '", { wallMs: WALL_MS });
    expect((await end(sandbox, "look")).output).not.toMatch(/sleep 4[123]/);
  });

  it("neither stalls on what nobody reads, nor dies of it", async () => {
    const { end: ended } = await run("head -c 30000000 /dev/zero | tr '\\0' x >&2; echo done");
    expect(ended).toMatchObject({ kind: "exited", code: 0 });
    expect(ended.output).toMatch(/x\n?done\n$/);
  });

  it("tells of a container that has ended in the middle, and begins the job anew when it is asked to", async () => {
    const sandbox = open();
    await sandbox.start("killed", "echo x > kept; sleep 60", { wallMs: WALL_MS });
    expect(await sandbox.poll("killed", 0, 300)).toMatchObject({ kind: "running" });
    await containers.killAll();
    expect(await end(sandbox, "killed")).toMatchObject({
      kind: "lost",
      reason: expect.stringContaining("ended"),
    });
    expect(await left(sandbox)).toEqual({});
    await sandbox.start("killed", "echo again", { wallMs: WALL_MS });
    expect(await end(sandbox, "killed")).toMatchObject({ kind: "exited", output: "again\n" });
  });

  it("says of a script that kills what follows it that it is lost, or of its own shell that it was killed", async () => {
    expect((await run("kill -9 -1; sleep 5")).end.kind).toBe("lost");
    expect((await run("kill -9 $$")).end).toMatchObject({ kind: "exited", code: 137 });
  });

  it("goes on with a job that was begun by somebody else, over what lay there then", async () => {
    const name = `conversation_${opened++}`;
    const [one, other] = [0, 1].map(() => new ContainerSandbox(containers.hands, name));
    if (one === undefined || other === undefined) throw new Error("there are two");
    await one.put([{ path: "a", content: new Uint8Array([1]) }]);
    await one.start("same", "sleep 1; echo x >> a; echo done", { wallMs: WALL_MS });
    await other.put([{ path: "a", content: new Uint8Array([2]) }]);
    await other.start("same", "echo never", { wallMs: WALL_MS });
    expect(await end(other, "same")).toMatchObject({ kind: "exited", output: "done\n" });
    const [file] = await other.take();
    // The hash of what the first one has laid.
    expect(file).toMatchObject({ path: "a", base: expect.stringMatching(/^4bf5122f/) });
  });

  it("never begins what was cancelled before", async () => {
    const sandbox = open();
    await sandbox.start("first", "echo x > kept", { wallMs: WALL_MS });
    await end(sandbox, "first");
    await sandbox.cancel("early");
    await sandbox.start("early", "touch /root/ran", { wallMs: WALL_MS });
    expect(await end(sandbox, "early")).toMatchObject({ kind: "cancelled", output: "" });
    await sandbox.start("later", "ls /root", { wallMs: WALL_MS });
    expect(await end(sandbox, "later")).toMatchObject({ kind: "exited", output: "" });
  });
});
