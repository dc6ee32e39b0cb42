/** `npm run deploy` against an account: what it makes, and that it makes it once, whatever happens meanwhile. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CloudRehearsal } from "../support/cloudflare.ts";

const rehearsal = new CloudRehearsal();
beforeAll(() => rehearsal.open());
afterAll(() => rehearsal.close());
beforeEach(() => rehearsal.begin());

const deploy = (...args: string[]) => rehearsal.run("deploy", "--yes", ...args);

/** Each run of `npm test` cuts at others; `npm run test:deploy` at all of them. */
const EVERY = process.env["DEPLOY_SUITE"] === "long" ? 1 : 9;
const FIRST = 1 + (new Date().getUTCMinutes() % EVERY);

const API_KEY = /errand_default_[\w-]{32}/;

describe("a first deploy", () => {
  it("makes everything that an installation needs, and only ingress is public", async () => {
    const said = await deploy("--location", "weur");
    const { account } = rehearsal.cloudflare;
    const open = [...account.scripts].filter(
      ([, { subdomain }]) => subdomain.enabled || subdomain.previews_enabled,
    );
    expect(open.map(([name]) => name)).toEqual(["errand-ingress"]);
    expect([...account.scripts.keys()]).toEqual(
      ["runner", "notifier", "planner", "executor", "ingress"].map((part) => `errand-${part}`),
    );
    expect(account.databases.get("errand")?.region).toBe("WEUR");
    expect(account.buckets.get("errand-files")?.location).toBe("weur");
    expect(account.live("errand-ingress").metadata["placement"]).toEqual({ region: "aws:eu-central-1" });
    expect(
      [...account.queues.values()].map(({ consumers }) => consumers.map(({ script }) => script)),
    ).toEqual([["errand-planner"], ["errand-executor"], ["errand-notifier"], ["errand-notifier"]]);
    expect(account.scripts.get("errand-ingress")?.schedules).toEqual([{ cron: "* * * * *" }]);
    expect(said).toContain("https://errand-ingress.someone.workers.dev");
    expect(said).toMatch(API_KEY);
    expect(rehearsal.picture().databases[0]?.keys).toHaveLength(1);
  });

  it("shows the key once, keeps it for its owner alone, and leaves no secret in any other file", async () => {
    const secrets = { ANTHROPIC_API_KEY: "sk-ant-the-models-key", AI_GATEWAY_TOKEN: "the-gateways-token" };
    await rehearsal.set(secrets);
    const said = await deploy();
    const [key = ""] = API_KEY.exec(said) ?? [];
    expect(await deploy()).not.toMatch(API_KEY);
    const { apiKey, made } = await rehearsal.record();
    expect(apiKey).toBe(key);
    for (const secret of Object.values(secrets)) expect(said).not.toContain(secret);
    const files = await readdir(rehearsal.state, { recursive: true, withFileTypes: true });
    for (const file of files.filter((one) => one.isFile())) {
      const path = join(file.parentPath, file.name);
      const text = await readFile(path, "utf8");
      const held = [key, ...Object.values(secrets), ...Object.values(made)].filter((secret) =>
        text.includes(secret),
      );
      const isShut = ((await stat(path)).mode & 0o077) === 0;
      const mayHold = file.name === "errand.json" && isShut;
      expect({ path, held: mayHold ? [] : held }).toEqual({ path, held: [] });
    }
    const planner = rehearsal.cloudflare.account.live("errand-planner").bindings;
    expect(
      planner
        .filter(({ type }) => type === "secret_text")
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(Object.keys(secrets).toSorted());
    // Every secret comes with the code that needs it: no version of a Worker is without.
    expect([...rehearsal.cloudflare.account.scripts.values()].map(({ versions }) => versions.length)).toEqual(
      [1, 1, 1, 1, 1],
    );
  });

  it("says what it would do, and does nothing, with --plan, and without a yes", async () => {
    expect(await rehearsal.run("deploy", "--plan")).toContain("makes the queue errand-tasks");
    await expect(rehearsal.run("deploy")).rejects.toThrow("Add --yes");
    expect(rehearsal.commands).toEqual([]);
    expect(rehearsal.cloudflare.account.queues.size).toBe(0);
    rehearsal.ask = () => Promise.resolve("n");
    await rehearsal.run("deploy", "--location", "weur");
    expect(rehearsal.cloudflare.account.queues.size).toBe(0);
    rehearsal.ask = () => Promise.resolve("");
    await rehearsal.run("deploy", "--location", "weur");
    expect(rehearsal.cloudflare.account.queues.size).toBe(4);
  });

  it("checks the settings and the Workers with wrangler, without token and network, with --dry-run", async () => {
    rehearsal.real = true;
    const heard = rehearsal.cloudflare.heard.length;
    const said = await rehearsal.run("deploy", "--dry-run", "--name", "test", "--location", "weur");
    expect(rehearsal.cloudflare.heard).toHaveLength(heard);
    expect(said).toContain("deploys test-ingress (new)");
    expect(said.match(/wrangler finds nothing wrong/g)).toHaveLength(5);
  });
});

describe("again", () => {
  it("changes nothing, and deploys no Worker that is as it should be", async () => {
    await deploy("--location", "weur");
    const before = rehearsal.picture();
    const said = await deploy();
    expect(rehearsal.commands).toEqual([]);
    expect(said).toContain("everything is as it should be");
    expect(rehearsal.picture()).toEqual(before);
  });

  it("from a machine that remembers nothing finds the same installation, and makes no second key", async () => {
    await deploy("--location", "weur");
    const before = rehearsal.picture();
    await rehearsal.forget();
    const said = await deploy();
    expect(rehearsal.picture()).toEqual(before);
    expect(said).toContain("--name errand --new-key");
    expect(await deploy("--new-key")).toMatch(API_KEY);
    expect(rehearsal.picture().databases[0]?.keys).toHaveLength(2);
  });

  it("sends a secret that has changed, takes away one that nobody gives any more, and leaves the other Workers alone", async () => {
    await rehearsal.set({ ANTHROPIC_API_KEY: "sk-ant-first", AI_GATEWAY_TOKEN: "a-token" });
    await deploy();
    await rehearsal.set({ ANTHROPIC_API_KEY: "sk-ant-second" });
    await expect(deploy()).rejects.toThrow(/errand has AI_GATEWAY_TOKEN.*--remove AI_GATEWAY_TOKEN/);
    expect(rehearsal.commands).toEqual([]);
    expect(await deploy("--remove", "AI_GATEWAY_TOKEN")).toContain("takes AI_GATEWAY_TOKEN away");
    expect(rehearsal.commands.map((command) => command.split(" ")[0])).toEqual(["deploy", "secret"]);
    const { bindings } = rehearsal.cloudflare.account.live("errand-planner");
    expect(bindings.filter(({ type }) => type === "secret_text")).toEqual([
      { name: "ANTHROPIC_API_KEY", type: "secret_text", text: "sk-ant-second" },
    ]);
    await deploy();
    expect(rehearsal.commands).toEqual([]);
  });

  it("without its settings is not stripped of them, wherever it is done from", async () => {
    await rehearsal.set({ ANTHROPIC_API_KEY: "sk-ant-first", ANTHROPIC_MODEL: "claude" });
    await deploy();
    const before = rehearsal.picture();
    await rehearsal.set({});
    await expect(rehearsal.run("deploy", "--plan")).rejects.toThrow(
      "errand has ANTHROPIC_API_KEY, ANTHROPIC_MODEL",
    );
    await rehearsal.forget();
    await expect(deploy()).rejects.toThrow("errand has ANTHROPIC_API_KEY, ANTHROPIC_MODEL");
    await rehearsal.set({ ANTHROPIC_API_KEY: "sk-ant-first" });
    await expect(deploy()).rejects.toThrow("errand has ANTHROPIC_MODEL");
    await expect(deploy("--remove", "NO_SUCH")).rejects.toThrow("NO_SUCH is no setting");
    await expect(deploy("--remove", "ANTHROPIC_API_KEY")).rejects.toThrow("still in");
    expect(rehearsal.picture()).toEqual(before);
  });

  it("by two at once is done by one of them", async () => {
    const both = await Promise.allSettled([deploy(), deploy()]);
    const refused = both.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
    expect(refused).toEqual([expect.stringContaining("is at work on this installation already")]);
    expect(rehearsal.picture().databases[0]?.keys).toHaveLength(1);
  });

  it("beside another of another name shares nothing with it", async () => {
    await deploy();
    const before = rehearsal.picture();
    await deploy("--name", "second");
    const after = rehearsal.picture();
    const names = ["workers", "databases", "queues", "buckets", "workflows"] as const;
    for (const kind of names) expect(JSON.stringify(after[kind])).toContain("second-".slice(0, -1));
    const ofSecond = Object.entries(after.workers).filter(([name]) => name.startsWith("second-"));
    expect(JSON.stringify(ofSecond)).not.toMatch(/"errand-/);
    await rehearsal.run("destroy", "--name", "second", "--data", "--confirm", "second");
    expect(rehearsal.picture()).toEqual(before);
  });
});

describe("killed between any two calls", () => {
  /** Cuts the line at the n-th request, before or after it is served: from then on nothing more of this run is heard. */
  const cutAt = (n: number, when: "before" | "after") => {
    const first = rehearsal.cloudflare.heard.length;
    rehearsal.cloudflare.cutOf = (nth) => (nth - first < n ? null : nth - first === n ? when : "before");
  };

  it.each(["before", "after"] as const)("the next run goes on (cut %s the call was served)", async (when) => {
    await rehearsal.set({ ANTHROPIC_API_KEY: "sk-ant-the-models-key" });
    await deploy("--location", "weur");
    const whole = rehearsal.picture();
    const calls = rehearsal.cloudflare.heard.length;
    expect(calls).toBeGreaterThan(60);
    for (let n = FIRST; n <= calls; n += EVERY) {
      await rehearsal.begin();
      await rehearsal.set({ ANTHROPIC_API_KEY: "sk-ant-the-models-key" });
      cutAt(n, when);
      await deploy("--location", "weur").catch(() => undefined);
      rehearsal.cloudflare.cutOf = () => null;
      const said = await deploy("--location", "weur");
      expect({ n, ...rehearsal.picture() }).toEqual({ n, ...whole });
      const { apiKey, keyStored } = await rehearsal.record();
      expect({
        n,
        known: said.includes(apiKey ?? "nothing") || said.includes("errand.json"),
        keyStored,
      }).toEqual({ n, known: true, keyStored: true });
    }
  });
});
