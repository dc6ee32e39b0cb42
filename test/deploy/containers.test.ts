/** Containers on an account: deployed where they are chosen, told where they are refused, taken away where they are chosen no more. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CloudRehearsal } from "../support/cloudflare.ts";

/** Every so many of the calls is cut, in each run others. */
const EVERY = process.env["DEPLOY_SUITE"] === "long" ? 1 : 12;
const FIRST = new Date().getUTCMinutes() % EVERY;

const rehearsal = new CloudRehearsal();
beforeAll(() => rehearsal.open());
afterAll(() => rehearsal.close());
beforeEach(async () => {
  await rehearsal.begin();
  await rehearsal.set({ ERRAND_HANDS: "container" });
});

const deploy = (...args: string[]) => rehearsal.run("deploy", "--yes", ...args);
const bindingsOf = (part: string) =>
  rehearsal.cloudflare.account.live(`errand-${part}`).bindings.map(({ name }) => name);
const hasHands = () => rehearsal.cloudflare.account.scripts.has("errand-hands");

describe("containers that are chosen", () => {
  it("are there before whoever calls them, and once", async () => {
    await deploy();
    const { scripts, applications } = rehearsal.cloudflare.account;
    const order = [...scripts.keys()];
    expect(order.indexOf("errand-hands")).toBeLessThan(order.indexOf("errand-executor"));
    expect([...applications.values()]).toMatchObject([
      { name: "errand-hands", scheduling_policy: "durable_object" },
      { name: "errand-toolchain", scheduling_policy: "durable_object" },
    ]);
    expect(bindingsOf("hands")).toEqual(["HAND", "TOOLCHAIN"]);
    expect(bindingsOf("executor")).toEqual(expect.arrayContaining(["HANDS", "ERRAND_HANDS"]));
    expect(bindingsOf("planner")).toContain("ERRAND_HANDS");
    expect(await deploy()).toContain("everything is as it should be");
    expect(await rehearsal.examine()).toContainEqual(
      expect.objectContaining({ check: "errand-hands", state: "ok" }),
    );
  });

  it.each([
    ["refused", /refused: .*Containers Edit of the token.*Scripts run embedded/],
    ["refused later", /refused: [^]*Authentication error[^]*Scripts run embedded/],
  ] as const)("and %s are told, and nothing is left of them", async (how, words) => {
    rehearsal.cloudflare.account.containers = how;
    expect(await deploy()).toMatch(words);
    expect(hasHands()).toBe(false);
    expect(bindingsOf("executor")).not.toContain("HANDS");
    expect(bindingsOf("planner")).not.toContain("ERRAND_HANDS");
    const found = await rehearsal.examine();
    expect(found).toContainEqual(
      expect.objectContaining({ check: "containers", words: expect.stringContaining("run embedded") }),
    );
    // Tried again each time.
    expect(await deploy()).toContain("they were refused before");
    rehearsal.cloudflare.account.containers = "allowed";
    await deploy();
    expect(bindingsOf("executor")).toContain("HANDS");
    expect((await rehearsal.record()).handsRefused).toBeNull();
    expect(await deploy()).toContain("everything is as it should be");
  });

  it("are gone when they are chosen no more, after nobody calls them", async () => {
    await deploy();
    await rehearsal.set({});
    await deploy("--remove", "ERRAND_HANDS");
    expect(hasHands()).toBe(false);
    expect([...rehearsal.cloudflare.account.applications]).toEqual([]);
    expect(bindingsOf("executor")).not.toContain("HANDS");
    expect(await deploy("--remove", "ERRAND_HANDS")).toContain("everything is as it should be");
  });

  it("are destroyed with the rest", async () => {
    await deploy();
    await rehearsal.run("destroy", "--data", "--confirm", "errand");
    expect([...rehearsal.cloudflare.account.scripts.keys()]).toEqual([]);
    expect([...rehearsal.cloudflare.account.applications]).toEqual([]);
  });

  it.each(["before", "after"] as const)("are whole after a kill %s any call", async (when) => {
    await deploy();
    const whole = rehearsal.picture();
    const calls = [...rehearsal.cloudflare.heard];
    const first = calls.findIndex((call) => call.includes("containers/me"));
    expect(first).toBeGreaterThan(0);
    for (let n = first + FIRST; n <= calls.length; n += EVERY) {
      await rehearsal.begin();
      await rehearsal.set({ ERRAND_HANDS: "container" });
      const begun = rehearsal.cloudflare.heard.length;
      rehearsal.cloudflare.cutOf = (nth) => (nth - begun < n ? null : nth - begun === n ? when : "before");
      await deploy().catch(() => undefined);
      rehearsal.cloudflare.cutOf = () => null;
      await deploy();
      expect({ n, ...rehearsal.picture() }).toEqual({ n, ...whole });
    }
  });
});
