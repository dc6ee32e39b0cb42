/** `npm start` from outside: what it says, what it leaves behind, and what it does when it cannot. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/local/ports.ts";
import { install } from "../support/installation.ts";
import { until } from "../support/until.ts";

let errand: Awaited<ReturnType<typeof install>>;
beforeEach(async () => {
  errand = await install();
});
afterEach(() => errand.remove());

const json = async (response: Response) => JSON.parse(await response.text());

/** What it said, without npm's own lines. */
const linesOf = (output: string) =>
  output.split("\n").filter((line) => line !== "" && !/^(>|npm|\.dev\.vars:)/.test(line));

/** Command lines that name the state folder. */
function processesOf(state: string): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(commandOf).filter((command) => command.includes(state));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

describe("npm start", () => {
  it("prints a curl that works, keeps its key and its state to itself, and ends within five seconds without leaving a process", async () => {
    const running = await errand.start();
    const [, curl = ""] = /^ {2}(curl .*)$/m.exec(running.output()) ?? [];
    const accepted = JSON.parse(execFileSync("sh", ["-c", curl], { encoding: "utf8" }));
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

    const asked = Date.now();
    running.signal("SIGTERM");
    expect(await running.exited).toBe(0);
    expect(Date.now() - asked).toBeLessThan(5_000);
    expect(processesOf(errand.state)).toEqual([]);

    const again = await errand.start();
    expect(again.apiKey).toBe(running.apiKey);
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

  it("says in one line that its port is in use", async () => {
    const other = createServer().listen(errand.port, "127.0.0.1");
    const { exited, output } = errand.spawn();
    expect(await exited).toBe(1);
    other.close();
    expect(linesOf(output())).toEqual([expect.stringContaining(`Port ${errand.port} is in use`)]);
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
