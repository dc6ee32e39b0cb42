/** The same with the real wrangler, which takes most of a minute for each install: `npm run test:deploy`. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CloudRehearsal } from "../support/cloudflare.ts";

const MINUTES_MAX = 60;
/** Points at which the line is cut, spread over all calls. */
const CUTS = 8;

const rehearsal = new CloudRehearsal();
beforeAll(() => rehearsal.open());
afterAll(() => rehearsal.close());
beforeEach(async () => {
  await rehearsal.begin();
  rehearsal.real = true;
});

const settings = { ANTHROPIC_API_KEY: "sk-ant-the-models-key", ERRAND_HANDS: "container" };
const deploy = (...args: string[]) => rehearsal.run("deploy", "--yes", "--location", "weur", ...args);

describe.skipIf(process.env["DEPLOY_SUITE"] !== "long")(
  "the real wrangler",
  { timeout: MINUTES_MAX * 60_000 },
  () => {
    it("makes of an account what the quick one does, and nothing more the second time", async () => {
      await rehearsal.set(settings);
      await deploy();
      const made = rehearsal.picture();
      const calls = rehearsal.cloudflare.heard.length;
      expect(await deploy()).toContain("everything is as it should be");
      expect(rehearsal.picture()).toEqual(made);
      await rehearsal.begin();
      await rehearsal.set(settings);
      await deploy();
      const names = ({ workers, ...rest }: ReturnType<typeof rehearsal.picture>) => ({
        ...rest,
        workers: Object.keys(workers),
      });
      expect(names(rehearsal.picture())).toEqual(names(made));
      for (const [name, { bindings }] of Object.entries(made.workers))
        expect({ name, bound: bindings.map((one) => one.name).toSorted() }).toEqual({
          name,
          bound: rehearsal
            .picture()
            .workers[name]?.bindings.map((one) => one.name)
            .toSorted(),
        });
      for (let cut = 1; cut <= CUTS; cut++) {
        const at = Math.round((cut * calls) / (CUTS + 1));
        await rehearsal.begin();
        rehearsal.real = true;
        await rehearsal.set(settings);
        rehearsal.cloudflare.cutOf = (nth) => (nth < at ? null : "after");
        await deploy().catch(() => undefined);
        rehearsal.cloudflare.cutOf = () => null;
        await deploy();
        expect({ at, ...rehearsal.picture() }).toEqual({ at, ...made });
      }
    });

    it("deploys a runner without isolates to Workers Free", async () => {
      rehearsal.cloudflare.account.plan = "free";
      expect(await deploy()).toContain("Workers Free");
      const { bindings, metadata } = rehearsal.cloudflare.account.live("errand-runner");
      expect(bindings).toEqual([]);
      expect(metadata).toMatchObject({ compatibility_flags: ["nodejs_compat"] });
    });

    it("names the scope that is missing, and goes on once it is there", async () => {
      rehearsal.cloudflare.forbidden = /POST .*\/queues$/;
      await expect(deploy()).rejects.toThrow(
        /makes the queue errand-inbound\nAuthentication error[^]*Queues Edit/,
      );
      rehearsal.cloudflare.forbidden = null;
      await deploy();
    });

    it("upgrades, goes back, stands beside another, and destroys until nothing is left", async () => {
      await rehearsal.set(settings);
      await deploy();
      const first = rehearsal.cloudflare.account.live("errand-ingress").id;
      await rehearsal.set({ AI_GATEWAY_TOKEN: "another-secret", ERRAND_HANDS: "container" });
      await deploy("--domain", "bot.example.com", "--remove", "ANTHROPIC_API_KEY");
      expect(rehearsal.cloudflare.account.scripts.get("errand-ingress")?.domains).toEqual([
        "bot.example.com",
      ]);
      const secrets = rehearsal.picture().workers["errand-planner"]?.secrets;
      expect(secrets).toEqual(["AI_GATEWAY_TOKEN"]);
      await rehearsal.run("rollback", "--yes");
      expect(rehearsal.cloudflare.account.live("errand-ingress").id).toBe(first);
      // Its secrets are those of the release before, too.
      await rehearsal.set(settings);
      await deploy("--name", "second", "--location", "weur");
      await rehearsal.run("destroy", "--name", "second", "--data", "--confirm", "second");
      rehearsal.cloudflare.account.buckets.get("errand-files")?.objects.add(`files/${"a".repeat(64)}`);
      await rehearsal.run("destroy", "--data", "--confirm", "errand");
      const { scripts, queues, workflows, databases, buckets } = rehearsal.cloudflare.account;
      expect([scripts.size, queues.size, workflows.size, databases.size, buckets.size]).toEqual([
        0, 0, 0, 0, 0,
      ]);
    });
  },
);
