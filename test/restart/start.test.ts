/** `npm start` from outside: what it says, what it leaves behind, and what it does when it cannot. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/local/ports.ts";
import { install, type Running } from "../support/installation.ts";
import { readText, treeOf } from "../support/process-tree.ts";
import { until } from "../support/until.ts";

/** Nobody waits for it: it is only so long that a slow machine has time. */
const GONE_MS_MAX = 20_000;

let errand: Awaited<ReturnType<typeof install>>;
beforeEach(async () => {
  errand = await install();
});
afterEach(() => errand.remove());

const json = async (response: Response) => JSON.parse(await response.text());

/** What it said, without npm's own lines. */
const linesOf = (output: string) =>
  output.split("\n").filter((line) => line !== "" && !/^(>|npm|\.dev\.vars:)/.test(line));

const curlOf = (running: Running) => /^ {2}(curl .*)$/m.exec(running.output())?.[1] ?? "";

/** Those that have not ended: who has ended and was not waited for has no command any more. */
const alive = (pids: readonly number[]) => pids.filter((pid) => readText(`/proc/${pid}/cmdline`) !== "");

describe("npm start", () => {
  it("prints a curl that works, keeps its key and its state to itself, and ends without leaving a process", async () => {
    const running = await errand.start();
    const accepted = JSON.parse(execFileSync("sh", ["-c", curlOf(running)], { encoding: "utf8" }));
    expect(accepted).toMatchObject({ status: "queued" });
    const headers = { authorization: `Bearer ${running.apiKey}` };
    const task = await until(
      async () => {
        const body = await json(await fetch(`${running.url}${accepted.links.self}`, { headers }));
        return body.result !== null && body;
      },
      20_000,
      "the task to end",
    );
    expect(task).toMatchObject({ status: "succeeded", result: { text: "```\n42\n```" } });
    expect((await stat(join(errand.state, "local.json"))).mode & 0o077).toBe(0);

    const processes = treeOf(running.pid);
    running.signal("SIGTERM");
    expect(await running.exited).toBe(0);
    await until(() => alive(processes).length === 0, GONE_MS_MAX, "its processes to end");

    const again = await errand.start();
    expect(again.apiKey).toBe(running.apiKey);
    // The key is shown once; the line to try finds it in its file.
    expect(running.output()).toContain(running.apiKey);
    expect(again.output()).not.toContain(running.apiKey);
    expect(JSON.parse(execFileSync("sh", ["-c", curlOf(again)], { encoding: "utf8" }))).toMatchObject({
      status: "queued",
    });
    // Whoever starts a second one on the same state is told so in one line, and the first is left alone.
    const second = errand.spawn({}, ["--port", String(await freePort())]);
    expect(await second.exited).toBe(1);
    expect(linesOf(second.output())).toEqual([
      expect.stringContaining(`${errand.state} is in use by process`),
    ]);
    expect((await fetch(`${again.url}/v1/tasks`, { headers })).status).toBe(200);
    again.signal("SIGINT");
    await again.exited;
  });

  it.runIf(existsSync("/proc"))(
    "leaves no process when npm is killed, or its script, and starts again at once",
    async () => {
      for (const victim of ["npm", "node"]) {
        const running = await errand.start();
        const processes = treeOf(running.pid);
        expect(processes.length).toBeGreaterThan(3);
        const isScript = (pid: number) => readText(`/proc/${pid}/cmdline`).includes("scripts/start.ts");
        const killed = victim === "npm" ? running.pid : (processes.find(isScript) ?? 0);
        process.kill(killed, "SIGKILL");
        await until(() => alive(processes).length === 0, GONE_MS_MAX, `all to end with ${victim}`);
      }
      const again = await errand.start();
      again.signal("SIGTERM");
      await again.exited;
    },
  );

  it("says in one line that its port is in use", async () => {
    const other = createServer().listen(errand.port, "127.0.0.1");
    const { exited, output } = errand.spawn();
    expect(await exited).toBe(1);
    other.close();
    expect(linesOf(output())).toEqual([expect.stringContaining(`Port ${errand.port} is in use`)]);
  });

  it.each([
    ["a file", "package.json"],
    ["below a file", "package.json/state"],
    ["a folder of something else", "."],
  ])("says in one line that its state cannot be kept in %s", async (_, folder) => {
    const { exited, output } = errand.spawn({}, ["--state", folder]);
    expect(await exited).toBe(1);
    expect(linesOf(output())).toEqual([expect.stringMatching(/cannot be used .* another folder/)]);
  });

  it("says in one line that it is not installed", async () => {
    const clone = await mkdtemp(join(tmpdir(), "errand-clone-"));
    await mkdir(join(clone, "scripts"));
    for (const name of ["package.json", "scripts/run.sh"]) await copyFile(name, join(clone, name));
    const { status, stderr } = spawnSync("npm", ["start"], { cwd: clone, encoding: "utf8" });
    await rm(clone, { recursive: true });
    expect(status).toBe(1);
    expect(linesOf(stderr)).toEqual(["Errand is not installed yet: run npm ci first."]);
  });

  it("refuses the state of a newer version in one line, and leaves it as it is", async () => {
    const first = await errand.start();
    first.signal("SIGTERM");
    await first.exited;
    const folder = join(errand.state, "v3/d1/miniflare-D1DatabaseObject");
    const [file = ""] = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
    const database = new DatabaseSync(join(folder, file));
    database.exec("INSERT INTO d1_migrations (name) VALUES ('9999_of_tomorrow.sql')");
    database.close();
    const { exited, output } = errand.spawn();
    expect(await exited).toBe(1);
    expect(output()).toContain("This state was written by a newer Errand (9999_of_tomorrow.sql).");
    expect(output()).not.toContain("ready");
  });

  it("shows the runtime's own tools only when asked, on ports of their own, with a warning", async () => {
    const { output, child, exited } = errand.spawn({}, ["--explorer", "--inspect"]);
    await until(() => output().includes("ready http"), 120_000, "npm start to be ready");
    expect(output()).toContain("reads and changes everything, without a key");
    const [explorer = ""] = /http:\S+\/explorer/.exec(output()) ?? [];
    expect((await fetch(explorer)).status).toBe(200);
    const [, inspector = ""] = /inspector +(127\.0\.0\.1:\d+)/.exec(output()) ?? [];
    expect(await json(await fetch(`http://${inspector}/json`))).not.toEqual([]);
    const { pathname } = new URL(explorer);
    expect((await fetch(`http://127.0.0.1:${errand.port}${pathname}`)).status).toBe(404);
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
  });

  it("outlives an endless loop: its task times out, the others finish, the runner comes back", async () => {
    const running = await errand.start({ ERRAND_TIMINGS: JSON.stringify({ code_wall_ms: 1_000 }) });
    const submit = async (prompt: string) => {
      const headers = { authorization: `Bearer ${running.apiKey}` };
      const response = await fetch(`${running.url}/v1/tasks`, {
        method: "POST",
        headers,
        body: JSON.stringify({ prompt }),
      });
      const { links } = await json(response);
      return until(
        async () => {
          const body = await json(await fetch(`${running.url}${links.self}`, { headers }));
          return body.result !== null && body.result.text;
        },
        60_000,
        `the end of ${prompt}`,
      );
    };
    const loop = submit("/run for (;;) {}");
    const others = Promise.all([1, 2, 3].map((n) => submit(`/run ${n} * 7`)));
    expect(await loop).toContain("Timed out");
    expect(await others).toEqual(["```\n7\n```", "```\n14\n```", "```\n21\n```"]);
    running.signal("SIGTERM");
    await running.exited;
  });
});
