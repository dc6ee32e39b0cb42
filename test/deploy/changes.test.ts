/** An installation after its first deploy: upgraded, taken back, moved. */
import { readFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { query } from "../../fakes/cloudflare/sql.ts";
import { listMigrations } from "../../scripts/installation/migrations.ts";
import { CloudRehearsal } from "../support/cloudflare.ts";

const rehearsal = new CloudRehearsal();
beforeAll(() => rehearsal.open());
afterAll(() => rehearsal.close());
beforeEach(() => rehearsal.begin());

const deploy = (...args: string[]) => rehearsal.run("deploy", "--yes", ...args);
const versionsOf = () =>
  Object.fromEntries(
    [...rehearsal.cloudflare.account.scripts].map(([name]) => [
      name,
      rehearsal.cloudflare.account.live(name).id,
    ]),
  );

/** The database as the version before the last migration has left it. */
async function goBackOneMigration(): Promise<void> {
  const db = new DatabaseSync(":memory:");
  query(db, "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE)");
  for (const file of (await listMigrations()).slice(0, -1)) {
    query(db, await readFile(`shared/store/migrations/${file}`, "utf8"));
    query(db, `INSERT INTO d1_migrations (name) VALUES ('${file}')`);
  }
  query(db, "INSERT INTO api_keys (hash, tenant_id, label, created_at) VALUES ('h', 'default', 'first', 1)");
  Object.assign(rehearsal.cloudflare.account.database("errand"), { db });
}

describe("an upgrade", () => {
  it("deploys what has changed, those that are called first, and notes where the database was before its migration", async () => {
    await deploy();
    const { account } = rehearsal.cloudflare;
    await goBackOneMigration();
    rehearsal.code = "export default { newer: true };";
    await deploy();
    expect(rehearsal.commands.map((command) => command.split(" ").slice(0, 2).join(" "))).toEqual([
      "d1 time-travel",
      "d1 migrations",
      ...Array.from({ length: 5 }, () => "deploy -c"),
    ]);
    const deployed = rehearsal.commands.flatMap(
      (command) => /(\w+)\/wrangler\.json/.exec(command)?.[1] ?? [],
    );
    expect(deployed).toEqual(["ingress", "runner", "notifier", "planner", "executor", "ingress"]);
    expect((await rehearsal.record()).bookmark).toMatch(/^0+1-/);
    // New code is tagged and named.
    expect(account.live("errand-ingress").annotations).toMatchObject({
      "workers/message": expect.stringMatching(/^errand \d/),
    });
  });

  it("is refused when the database belongs to a later version", async () => {
    await deploy();
    rehearsal.cloudflare.account.databases
      .get("errand")
      ?.db.exec("INSERT INTO d1_migrations (name) VALUES ('9999_later.sql')");
    await expect(deploy()).rejects.toThrow(/later version.*9999_later[^]*npm run rollback/);
  });

  it("is refused by name where somebody else has changed a Worker, and goes over it when told to", async () => {
    await deploy();
    const { account } = rehearsal.cloudflare;
    const { metadata } = account.live("errand-ingress");
    account.upload("errand-ingress", { ...metadata, annotations: {} }, true);
    expect(await rehearsal.run("deploy", "--plan")).toContain(
      "errand-ingress (rolled back, deployed elsewhere",
    );
    await deploy();
    expect(rehearsal.commands).toHaveLength(1);
  });
});

describe("a rollback", () => {
  it("brings back the Workers of the release before, callers first, and a deploy goes forward again", async () => {
    await deploy();
    const first = versionsOf();
    rehearsal.code = "export default { newer: true };";
    await deploy();
    const second = versionsOf();
    expect(await rehearsal.run("rollback", "--yes")).toContain("errand is what it was");
    expect(versionsOf()).toEqual(first);
    expect(rehearsal.commands.map((command) => /--name errand-(\w+)/.exec(command)?.[1])).toEqual(
      ["runner", "notifier", "planner", "executor", "ingress"].toReversed(),
    );
    expect(await rehearsal.run("rollback", "--list")).toMatch(/0 .*\(gone back from\)\n.*1 .*\(live\)/);
    await rehearsal.run("rollback", "--yes", "--to", "0");
    expect(versionsOf()).toEqual(second);
    await expect(rehearsal.run("rollback", "--yes", "--to", "0")).rejects.toThrow("is the live one");
    rehearsal.code = "export default { third: true };";
    await deploy();
    await deploy();
    expect(rehearsal.commands).toEqual([]);
  });

  it("after a rollback goes further back, and never onto what was gone back from", async () => {
    await deploy();
    const first = versionsOf();
    for (const code of ["second", "third"]) {
      rehearsal.code = `export default "${code}";`;
      await deploy();
    }
    await rehearsal.run("rollback", "--yes");
    await rehearsal.run("rollback", "--yes");
    expect(versionsOf()).toEqual(first);
    rehearsal.code = 'export default "fourth";';
    await deploy();
    await rehearsal.run("rollback", "--yes");
    expect(versionsOf()).toEqual(first);
    // One that was returned to is gone back to like any other.
    await rehearsal.run("rollback", "--yes", "--to", "1");
    const third = versionsOf();
    rehearsal.code = 'export default "fifth";';
    await deploy();
    await rehearsal.run("rollback", "--yes");
    expect(versionsOf()).toEqual(third);
  });

  it("does not stand in the way of taking a secret away", async () => {
    await rehearsal.set({ AI_GATEWAY_TOKEN: "leaked-token" });
    await deploy();
    rehearsal.code = "export default { newer: true };";
    await deploy();
    await rehearsal.run("rollback", "--yes");
    await rehearsal.set({});
    await deploy("--remove", "AI_GATEWAY_TOKEN");
    expect(rehearsal.picture().workers["errand-planner"]?.secrets).toEqual([]);
    await deploy();
    expect(rehearsal.commands).toEqual([]);
  });

  it("killed in the middle goes on", async () => {
    await deploy();
    const first = versionsOf();
    rehearsal.code = "export default { newer: true };";
    await deploy();
    const { faults } = rehearsal.cloudflare;
    faults.push({
      match: /POST .*errand-planner\/deployments/,
      status: 400,
      code: 10_000,
      message: "no",
      times: 1,
    });
    await expect(rehearsal.run("rollback", "--yes")).rejects.toThrow("takes errand-planner back");
    await rehearsal.run("rollback", "--yes");
    expect(versionsOf()).toEqual(first);
  });

  it("says so when there is nothing to go back to, or nothing is remembered", async () => {
    await deploy();
    await expect(rehearsal.run("rollback", "--yes")).rejects.toThrow(
      "no release of errand before the live one",
    );
    await expect(rehearsal.run("rollback", "--yes", "--to", "7")).rejects.toThrow("There is no release 7");
    await rehearsal.forget();
    await expect(rehearsal.run("rollback", "--yes")).rejects.toThrow("remembers no release");
  });
});

describe("what somebody else does meanwhile", () => {
  it("is taken as it is: what is there already, and what is gone already", async () => {
    const { account } = rehearsal.cloudflare;
    rehearsal.ask = (question) => {
      if (!question.startsWith("Go on")) return Promise.resolve("");
      account.makeDatabase("errand", null);
      account.makeBucket("errand-files", null);
      account.makeQueue("errand-tasks");
      return Promise.resolve("");
    };
    await rehearsal.run("deploy", "--location", "weur");
    expect(account.scripts.size).toBe(5);
    rehearsal.ask = () => {
      account.deleteScript("errand-ingress", true);
      account.workflows.clear();
      return Promise.resolve("errand");
    };
    await rehearsal.run("destroy");
    expect([account.scripts.size, account.queues.size]).toEqual([0, 0]);
  });
});

describe("a domain", () => {
  it("takes the place of workers.dev, is remembered, and is given back", async () => {
    await deploy("--domain", "bot.example.com");
    const ingress = rehearsal.cloudflare.account.scripts.get("errand-ingress");
    expect({ domains: ingress?.domains, open: ingress?.subdomain.enabled }).toEqual({
      domains: ["bot.example.com"],
      open: false,
    });
    expect(await deploy()).toContain("https://bot.example.com");
    expect(rehearsal.commands).toEqual([]);
    // Another machine finds it again.
    await rehearsal.forget();
    expect(await deploy()).toContain("https://bot.example.com");
    const back = await deploy("--domain", "");
    expect(back).toContain("https://errand-ingress.someone.workers.dev");
    expect(back).toContain("detaches bot.example.com");
    expect({ domains: ingress?.domains, open: ingress?.subdomain.enabled }).toEqual({
      domains: [],
      open: true,
    });
    await expect(deploy("--domain", "https://bot.example.com/")).rejects.toThrow("--domain must be a host");
  });
});

describe("a domain that leads elsewhere", () => {
  it("is left to the Worker that has it, and named before a record of another kind is replaced", async () => {
    await deploy("--name", "second", "--domain", "bot.example.com");
    await expect(deploy("--domain", "bot.example.com")).rejects.toThrow(
      "bot.example.com leads to the Worker second-ingress",
    );
    expect(await rehearsal.run("deploy", "--plan", "--domain", "www.example.com")).toContain(
      "whatever www.example.com leads to now is replaced",
    );
  });
});

describe("a location", () => {
  it("is settled with the database", async () => {
    await deploy("--location", "weur");
    await expect(deploy("--location", "oc")).rejects.toThrow("lies in weur and cannot be moved");
    await rehearsal.forget();
    await expect(deploy("--location", "oc")).rejects.toThrow("lies in weur and cannot be moved");
    await deploy();
    expect((await rehearsal.record()).location).toBe("weur");
  });
});
