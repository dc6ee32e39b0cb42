/** The engine itself: what a box sees of this machine, what is left of it, and what it can be made of. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { awaitCode, Box } from "../../scripts/local/engine/box.ts";
import { Containers } from "../../scripts/local/engine/containers.ts";
import { noEngine } from "../support/engine.ts";
import { runs } from "../support/processes.ts";
import { until } from "../support/until.ts";

const WAIT_MS_MAX = 60_000;

async function run(box: Box, script: string): Promise<string> {
  const streams = { stdin: false, stdout: true, stderr: false };
  const process = box.exec({ argv: ["sh", "-c", `{ ${script}; } 2>&1`], env: {}, folder: null, ...streams });
  const [said] = await Promise.all([process.stdout === null ? "" : text(process.stdout), awaitCode(process)]);
  return said;
}

describe.skipIf(noEngine !== null)(`the engine${noEngine === null ? "" : `: ${noEngine}`}`, () => {
  it("shows a box this machine's programs, read-only, and nothing else of it", async () => {
    const box = await Box.start(["sleep", "600"], {}, null);
    try {
      expect((await run(box, "ls -A /")).split("\n").toSorted().join(" ").trim()).toMatch(
        /^bin dev etc home lib( lib\w+)* mnt opt proc root run sbin srv tmp usr var workspace$/,
      );
      expect(await run(box, "touch /usr/x; cat /etc/shadow; ls /home /root /mnt")).toMatch(
        /Read-only file system[^]*No such file[^]*\/home:\n\n/,
      );
      expect(await run(box, "cat /etc/passwd")).toBe("root:x:0:0:root:/root:/bin/bash\n");
      expect(await run(box, "ls -d /proc/[0-9]* | wc -l")).toMatch(/^[1-9]\n$/);
      // Nobody outside: what it may not do as anybody, it may not do as root of its box.
      expect(await run(box, "mount -t proc none /mnt; mknod /tmp/disk b 8 0; hostname other; id -u")).toMatch(
        /not permitted|denied/i,
      );
      expect(await run(box, "ip -o addr | grep -v ' lo ' | wc -l")).toBe("0\n");
    } finally {
      await box.kill();
    }
  });

  it("leaves nothing of a box when whoever has it is killed without a word", async () => {
    const asleep = `${700 + Math.random()}`;
    const holder = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "test/support/entries/engine-holder.ts", "sleep", asleep],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(holder.stdout, "data");
    expect(await runs(`sleep ${asleep}`)).toBe(true);
    holder.kill("SIGKILL");
    await until(async () => !(await runs(`sleep ${asleep}`)), WAIT_MS_MAX, "the box to end");
  });

  it("makes an image of a container, and containers of that", async () => {
    const folder = await mkdtemp(join(tmpdir(), "errand-engine-"));
    const containers = new Containers(folder);
    const spec = {
      image: "cloudflare/debian-trixie",
      argv: ["sleep", "600"],
      env: {},
      labels: {},
      sidecar: "none",
    };
    try {
      containers.create("one", spec);
      await containers.start("one");
      await run(containers.running("one"), "echo kept > /opt/tool; echo gone > /proc/self/comm");
      await containers.commit("one", "made");
      containers.create("two", { ...spec, image: "made" });
      await containers.start("two");
      expect(await run(containers.running("two"), "cat /opt/tool")).toBe("kept\n");
      await containers.removeImage("made");
      expect(() => containers.create("three", { ...spec, image: "made" })).toThrow("No such image");
      expect(() => containers.create("two", spec)).toThrow("is there");
    } finally {
      await containers.clear();
    }
    expect(await readdir(folder)).toHaveLength(0);
  });

  it("says what it cannot run", async () => {
    const box = await Box.start(["nonesuch"], {}, null);
    expect(await box.ended).toBe(127);
  });
});
