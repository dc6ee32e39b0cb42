/** What containers begin from: made once, restored for each, made again when it is gone; where it cannot be made they begin without. */
import { afterEach, describe, expect, it } from "vitest";
import type { JobEnd } from "../../shared/contracts/job.ts";
import { ContainerSandbox } from "../../workers/executor/sandboxes/container.ts";
import { noEngine } from "../support/engine.ts";
import { openHands } from "../support/hands.ts";
import { end, WALL_MS } from "./contract.ts";

const TRIES_MAX = 600;
const RETRY_MS = 100;

describe.skipIf(noEngine !== null)(`the toolchain${noEngine === null ? "" : `: ${noEngine}`}`, () => {
  let containers: Awaited<ReturnType<typeof openHands>>;
  afterEach(() => containers.close());

  const open = async (script: string) => {
    containers = await openHands({ ERRAND_TOOLCHAIN: script });
  };
  async function tryOnce(conversation: string, script: string): Promise<JobEnd> {
    const sandbox = new ContainerSandbox(containers.hands, conversation);
    await sandbox.start("job", script, { wallMs: WALL_MS });
    return end(sandbox, "job");
  }
  /** Again and again, as the executor does, until it begins. */
  async function run(conversation: string, script: string): Promise<JobEnd> {
    for (let nth = 1; nth <= TRIES_MAX; nth++) {
      const ended = await tryOnce(conversation, script);
      if (ended.kind !== "not_started") return ended;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    throw new Error("it never begins");
  }
  const told = (effect: string) => containers.logs.filter((line) => line.includes(`"effect":"${effect}"`));

  it("is made once, whoever asks for it, and each container begins from it", async () => {
    await open("sleep 1; echo tool > /opt/tool; echo $$ > /root/made");
    const names = ["a", "b", "c", "d"];
    const first = await Promise.all(names.map((name) => tryOnce(name, "true")));
    expect(first.map(({ kind }) => kind)).toEqual(names.map(() => "not_started"));
    expect(first[0]).toMatchObject({
      reason: expect.stringContaining("being installed"),
      retryAfterMs: 20_000,
    });
    const ran = await Promise.all(
      names.map((name) => run(name, "cat /opt/tool; echo own > /opt/own; ls /opt")),
    );
    for (const one of ran) expect(one).toMatchObject({ kind: "exited", output: "tool\nown\ntool\n" });
    expect(told("toolchain built")).toHaveLength(1);
  });

  it("is made again when it cannot be restored any more", async () => {
    await open("echo tool > /opt/tool");
    expect(await run("a", "cat /opt/tool")).toMatchObject({ output: "tool\n" });
    await containers.engine.forgetImages();
    expect(await run("b", "cat /opt/tool")).toMatchObject({ output: "tool\n" });
    expect(told("toolchain built")).toHaveLength(2);
  });

  it("that cannot be made is told of once, and containers begin without", async () => {
    await open("echo no such package; exit 100");
    expect(await run("a", "ls /opt | wc -l")).toMatchObject({ kind: "exited", output: "0\n" });
    expect(await run("b", "true")).toMatchObject({ kind: "exited" });
    expect(told("toolchain not built")).toHaveLength(1);
    expect(told("toolchain not built")[0]).toContain("it ended with 100: no such package");
  });
});
