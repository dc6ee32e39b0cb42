/** An installation taken off the account: nothing that is somebody else's, and data only when that is said. */
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CloudRehearsal } from "../support/cloudflare.ts";

const rehearsal = new CloudRehearsal();
beforeAll(() => rehearsal.open());
afterAll(() => rehearsal.close());
beforeEach(() => rehearsal.begin());

const deploy = (...args: string[]) => rehearsal.run("deploy", "--yes", ...args);

describe("what is somebody else's", () => {
  it("is neither taken over nor destroyed", async () => {
    const { account } = rehearsal.cloudflare;
    account.makeDatabase("shop", null);
    account.database("shop").db.exec("CREATE TABLE orders (id)");
    account.makeBucket("shop-files", null);
    await expect(deploy("--name", "shop")).rejects.toThrow("not Errand's: it holds orders");
    await expect(rehearsal.run("destroy", "--name", "shop", "--data", "--confirm", "shop")).rejects.toThrow(
      "not Errand's",
    );
    expect([...account.databases.keys()]).toEqual(["shop"]);
    await deploy();
    account.buckets.get("errand-files")?.objects.add("photos/cat.jpg");
    await expect(rehearsal.run("destroy", "--data", "--confirm", "errand")).rejects.toThrow(
      "photos/cat.jpg, which is not Errand's",
    );
  });
});

describe("destroying", () => {
  it("wants the name typed, and keeps what people have said and made", async () => {
    await deploy();
    await expect(rehearsal.run("destroy")).rejects.toThrow("--confirm errand");
    await expect(rehearsal.run("destroy", "--confirm", "other")).rejects.toThrow('"other" is not errand');
    expect(rehearsal.commands).toEqual([]);
    const said = await rehearsal.run("destroy", "--confirm", "errand");
    const { scripts, queues, workflows, databases, buckets } = rehearsal.cloudflare.account;
    expect([scripts.size, queues.size, workflows.size, databases.size, buckets.size]).toEqual([
      0, 0, 0, 1, 1,
    ]);
    expect(said).toContain("are kept");
    // It comes back with its data, and with its key.
    const { apiKey } = await rehearsal.record();
    expect(await deploy()).not.toContain("first API key");
    expect((await rehearsal.record()).apiKey).toBe(apiKey);
  });

  it("of what is not there says so, with what is known", async () => {
    await deploy();
    expect(await rehearsal.run("destroy", "--name", "nosuch", "--confirm", "nosuch")).toContain(
      "There is nothing of nosuch on the account. Known here: errand.",
    );
  });

  it("from a machine that remembers nothing works, too", async () => {
    await deploy();
    await rehearsal.forget();
    await rehearsal.run("destroy", "--data", "--confirm", "errand");
    expect(rehearsal.cloudflare.account.databases.size).toBe(0);
  });

  it("with --data exports the database, empties the bucket, and leaves nothing, wherever it was killed", async () => {
    await deploy();
    const heard = rehearsal.cloudflare.heard.length;
    const destroy = () => rehearsal.run("destroy", "--data", "--confirm", "errand");
    await destroy();
    const calls = rehearsal.cloudflare.heard.length - heard;
    for (let n = 26; n <= calls; n += 4) {
      await rehearsal.begin();
      await deploy();
      const { account } = rehearsal.cloudflare;
      for (let file = 0; file < 3; file++)
        account.buckets.get("errand-files")?.objects.add(`files/${String(file).repeat(64)}`);
      const first = rehearsal.cloudflare.heard.length;
      rehearsal.cloudflare.cutOf = (nth) => (nth - first < n ? null : "before");
      await destroy().catch(() => undefined);
      rehearsal.cloudflare.cutOf = () => null;
      await destroy();
      const { scripts, queues, workflows, databases, buckets } = account;
      const left = [scripts.size, queues.size, workflows.size, databases.size, buckets.size];
      expect({ n, left }).toEqual({ n, left: [0, 0, 0, 0, 0] });
      const exported = await readdir(rehearsal.state, { recursive: true });
      expect(exported.filter((name) => !/\.sql$|-files(?:\/|$)/.test(name))).toEqual([]);
      expect(exported.filter((name) => /-files\/\d{64}$/.test(name)).length).toBeGreaterThanOrEqual(3);
    }
    expect(calls).toBeGreaterThan(40);
  });
});
