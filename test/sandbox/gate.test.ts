/** The gate of a container, on the engine of this machine, with requests that really come out of a box. HTTP alone: the engine speaks no TLS in the place of others. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Fetched } from "../../shared/contracts/event.ts";
import { LIMITS } from "../../shared/limits.ts";
import { ContainerSandbox } from "../../workers/executor/sandboxes/container.ts";
import { noEngine } from "../support/engine.ts";
import { openHands } from "../support/hands.ts";
import { openOutside } from "../support/outside.ts";
import { end, WALL_MS } from "./contract.ts";

const TOKEN = "canary-7d20e4-token";
const EGRESS = [
  { host: "git.example", headers: { authorization: `Bearer ${TOKEN}` } },
  { host: "api.example", methods: ["GET", "POST"], paths: ["/v1"] },
];

describe.skipIf(noEngine !== null)(`the gate${noEngine === null ? "" : `: ${noEngine}`}`, () => {
  let outside: Awaited<ReturnType<typeof openOutside>>;
  let containers: Awaited<ReturnType<typeof openHands>>;
  beforeAll(async () => {
    outside = await openOutside(TOKEN);
    containers = await openHands({ ERRAND_EGRESS: JSON.stringify(EGRESS) }, outside.outbound);
  });
  afterAll(async () => {
    await containers.close();
    await outside.close();
  });
  beforeEach(() => void outside.heard.splice(0));

  let opened = 0;
  /** One after the other, in one container. */
  async function run(script: string): Promise<{ output: string; fetched: readonly Fetched[] }> {
    const sandbox = new ContainerSandbox(containers.hands, "gated");
    const id = `job_${opened++}`;
    await sandbox.start(id, script, { wallMs: WALL_MS });
    const { output } = await end(sandbox, id);
    return { output, fetched: (await sandbox.tell(id)).fetched };
  }

  it("leads to a host of the list with a credential that is nowhere inside", async () => {
    const script = [
      "git clone -q http://git.example/repo.git /root/repo && cd /root/repo && python3 test.py",
      "echo hosts: $ERRAND_HOSTS; env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'",
      "grep -rl canary-7d20e4 / --include=* --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr --exclude-dir=dev 2>/dev/null",
      "curl -sSv http://git.example/echo 2>&1",
    ].join("\n");
    const { output, fetched } = await run(script);
    expect(output).toMatch(/^passed\nhosts: git.example api.example\n/);
    expect(output).not.toContain("canary");
    expect(output).toContain("GET /echo");
    expect(outside.heard.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
    expect(fetched).toContainEqual({
      host: "git.example",
      method: "GET",
      path: "/repo.git/HEAD",
      status: 200,
      bytes: expect.any(Number),
    });
    expect(fetched.length).toBe(outside.heard.length);
  });

  it.each([
    ["another host", "curl -sS http://other.example/", /Could not resolve host/],
    [
      "an address",
      "curl -sS -m 3 http://169.254.169.254/latest/",
      /Couldn't connect|Failed to connect|unreachable/i,
    ],
    ["this machine", "curl -sS http://127.0.0.1/", /Empty reply|reset/],
    [
      "another host on a connection of the list's",
      "curl -sS -H 'Host: other.example' http://git.example/",
      /Empty reply|reset/,
    ],
    [
      "another host in a second request",
      "printf 'GET /v1 HTTP/1.1\\r\\nHost: api.example\\r\\n\\r\\nGET /x HTTP/1.1\\r\\nHost: other.example\\r\\nConnection: close\\r\\n\\r\\n' | timeout 1 bash -c 'exec 3<>/dev/tcp/api.example/80; cat >&3; cat <&3'",
      /refuses it: other.example is not on the list/,
    ],
    [
      "a method",
      "curl -sS -X POST -d x http://git.example/",
      /refuses it: POST is not allowed at git.example/,
    ],
    ["a path", "curl -sS http://api.example/v2", /refuses it: this path is not allowed/],
    ["a path that only begins alike", "curl -sS http://api.example/v1beta", /refuses it: this path/],
    [
      "a path that climbs",
      "curl -sS --path-as-is http://api.example/v1/%2e%2e/admin",
      /refuses it: this path/,
    ],
    [
      "a path that climbs twice encoded",
      "curl -sS --path-as-is 'http://api.example/v1/%252e%252e/admin'",
      /refuses it: this path/,
    ],
    [
      "TLS, which this engine does not lead anywhere",
      "curl -sS https://git.example/",
      /Couldn't connect|Failed to connect|refused/i,
    ],
  ])("refuses %s", async (_, script, words) => {
    const { output } = await run(script);
    expect(output).toMatch(words);
    expect(outside.heard.filter(({ url }) => !url.endsWith("/v1"))).toEqual([]);
  });

  it("drops what a container says of itself, and leads a redirect back to it", async () => {
    const { output } = await run(
      "curl -sS -H 'Authorization: mine' -H 'Cookie: mine' http://api.example/v1/a; curl -sSL http://git.example/moved",
    );
    expect(output).toContain("GET /v1/a");
    expect(output).toMatch(/Could not resolve host: other.example/);
    expect(outside.heard.find(({ url }) => url.endsWith("/a"))?.authorization).toBeNull();
    expect(outside.heard.some(({ url }) => url.includes("other.example"))).toBe(false);
  });

  it("counts bytes, and leads no more requests than a script may make", async () => {
    const { fetched } = await run("curl -sS http://git.example/large | wc -c");
    expect(fetched).toMatchObject([{ path: "/large", status: 200, bytes: 1024 * 1024 }]);
    const many = LIMITS.egress_requests_max + 3;
    const { output } = await run(`curl -sS -Z --parallel-max 20 'http://git.example/[1-${many}]'`);
    expect(output.match(/refuses it: a script may make/g)).toHaveLength(3);
  });

  it("says of a job that is lost whether it has changed anything outside", async () => {
    for (const [ask, acted] of [
      ["curl -sS http://api.example/v1/a", undefined],
      ["curl -sS -d x http://api.example/v1/a", true],
    ] as const) {
      const sandbox = new ContainerSandbox(containers.hands, `gated_${opened++}`);
      await sandbox.start("job", `${ask}; sleep 60`, { wallMs: WALL_MS });
      for (
        let look = 0;
        look < 50 && (await sandbox.tell("job")).fetched[0]?.bytes !== 10 + Number(acted ?? 0);
        look++
      )
        await sandbox.poll("job", 0, 100);
      await containers.killAll();
      const state = await end(sandbox, "job");
      expect(state).toMatchObject({ kind: "lost" });
      expect("acted" in state ? state.acted : undefined).toBe(acted);
      expect((await sandbox.tell("job")).fetched).toHaveLength(1);
    }
  });
});
