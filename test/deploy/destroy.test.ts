/** An installation taken off the account: nothing that is somebody else's, and data only when that is said. */
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
    account.makeDatabase("store", null);
    account
      .database("store")
      .db.exec(
        "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO d1_migrations (name) VALUES ('0001_init.sql'); CREATE TABLE customers (id)",
      );
    await expect(deploy("--name", "store")).rejects.toThrow("not Errand's: it holds customers");
    await expect(rehearsal.run("destroy", "--name", "store", "--data", "--confirm", "store")).rejects.toThrow(
      "not Errand's",
    );
    await expect(deploy("--name", "shop")).rejects.toThrow("not Errand's: it holds orders");
    await expect(rehearsal.run("destroy", "--name", "shop", "--data", "--confirm", "shop")).rejects.toThrow(
      "not Errand's",
    );
    expect([...account.databases.keys()]).toEqual(["shop", "store"]);
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

  it("and going back need no settings' file; a deploy names the one that is gone", async () => {
    const vars = join(rehearsal.folder, "second.vars");
    await writeFile(vars, "ANTHROPIC_MODEL=claude\n");
    await rehearsal.runPlain("deploy", "--yes", "--name", "second", "--vars", vars);
    await rm(vars);
    await expect(rehearsal.runPlain("deploy", "--yes", "--name", "second")).rejects.toThrow(
      /The settings of second were in .*second.vars, which is gone/,
    );
    expect(await rehearsal.runPlain("rollback", "--name", "second", "--list")).toContain("(live)");
    await rehearsal.runPlain("destroy", "--name", "second", "--data", "--confirm", "second");
    expect(rehearsal.cloudflare.account.scripts.size).toBe(0);
  });

  it("is not kept by a lock of a process that is gone, though its number is somebody else's", async () => {
    await deploy();
    await writeFile(join(rehearsal.state, "errand.pid"), `${process.ppid} 1`);
    await rehearsal.run("destroy", "--confirm", "errand");
    expect(rehearsal.cloudflare.account.scripts.size).toBe(0);
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
