/** What stands in the way of a deploy: each is named with what mends it, before anything is half done. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { explainFailure, isPaidOnly } from "../../scripts/cloudflare/failures.ts";
import { checkName } from "../../scripts/cloudflare/target.ts";
import { makeError, WranglerError } from "../../scripts/cloudflare/wrangler.ts";
import { CloudRehearsal } from "../support/cloudflare.ts";

const rehearsal = new CloudRehearsal();
beforeAll(() => rehearsal.open());
afterAll(() => rehearsal.close());
beforeEach(() => rehearsal.begin());

const deploy = (...args: string[]) => rehearsal.run("deploy", "--yes", ...args);

describe("Workers Free", () => {
  it("gets a runner without isolates, no limits, and batches that its bounds can bear", async () => {
    rehearsal.cloudflare.account.plan = "free";
    const said = await deploy();
    const { scripts } = rehearsal.cloudflare.account;
    expect([...scripts.keys()]).toEqual([
      "errand-runner",
      "errand-notifier",
      "errand-planner",
      "errand-executor",
      "errand-ingress",
    ]);
    expect(rehearsal.cloudflare.account.live("errand-runner").bindings).toEqual([]);
    const batches = [...rehearsal.cloudflare.account.queues.values()].flatMap(({ consumers }) =>
      consumers.map(({ settings }) => settings),
    );
    expect(batches).toEqual(Array.from({ length: 4 }, () => expect.objectContaining({ max_batch_size: 1 })));
    expect(said).toContain("Workers Free: code cannot be run");
  });

  it("that was Paid before goes on without isolates", async () => {
    await deploy();
    rehearsal.cloudflare.account.plan = "free";
    await rehearsal.set({ ANTHROPIC_API_KEY: "sk-ant-new" });
    expect(await deploy()).toContain("Workers Free");
    expect(rehearsal.picture().workers["errand-planner"]?.secrets).toEqual(["ANTHROPIC_API_KEY"]);
    expect(rehearsal.cloudflare.account.live("errand-runner").bindings).toEqual([]);
  });

  it("becomes Paid with the next deploy, and is tried anew each time", async () => {
    rehearsal.cloudflare.account.plan = "free";
    await deploy();
    await deploy();
    expect(rehearsal.commands).toHaveLength(1);
    rehearsal.cloudflare.account.plan = "paid";
    await deploy();
    expect(rehearsal.commands).toHaveLength(5);
    expect(rehearsal.cloudflare.account.live("errand-runner").bindings.map(({ name }) => name)).toContain(
      "LOADER",
    );
    await deploy();
    expect(rehearsal.commands).toEqual([]);
  });
});

describe("an account", () => {
  it("without a subdomain gets one, always the same", async () => {
    rehearsal.cloudflare.account.subdomain = null;
    const said = await deploy();
    const [, subdomain] = /errand-ingress\.(errand-[0-9a-f]{8})\.workers\.dev/.exec(said) ?? [];
    expect(rehearsal.cloudflare.account.subdomain).toBe(subdomain);
  });

  it("without R2 is told where to enable it, before anything is made", async () => {
    rehearsal.cloudflare.account.hasR2 = false;
    await expect(deploy()).rejects.toThrow(/enable R2[^]*10042[^]*dash\.cloudflare\.com\/0123.*\/r2/);
    expect(rehearsal.commands).toEqual([]);
  });

  it.each([/d1\//, /queues/, /r2\//, /PUT .*scripts/, /POST .*\/d1\/database$/])(
    "whose token may not %s is told the scopes, with a link that fills in the form",
    async (forbidden) => {
      rehearsal.cloudflare.forbidden = forbidden;
      await expect(deploy()).rejects.toThrow(
        /Authentication error[^]*D1 Edit, Queues Edit[^]*permissionGroupKeys=/,
      );
      rehearsal.cloudflare.forbidden = null;
      await deploy();
    },
  );

  it("that has the Workflow of somebody else's, or is another than before, is left alone", async () => {
    const { account } = rehearsal.cloudflare;
    account.workflows.set("errand-task", { script_name: "somebody-s", class_name: "TaskWorkflow" });
    await expect(deploy()).rejects.toThrow(/Workflow errand-task already, of the Worker somebody-s/);
    account.workflows.clear();
    await deploy();
    vi.stubEnv("CLOUDFLARE_ACCOUNT_ID", "f".repeat(32));
    await expect(deploy()).rejects.toThrow("--name other");
    vi.stubEnv("CLOUDFLARE_ACCOUNT_ID", rehearsal.cloudflare.accountId);
  });

  it("that is busy for a moment is asked again", async () => {
    const busy = { status: 429, code: 971, message: "Please wait", times: 1 };
    rehearsal.cloudflare.faults.push({ match: /GET .*\/r2\/buckets/, ...busy });
    expect(await deploy()).toContain("Errand is at");
  });
});

describe("settings", () => {
  it("that lead to this machine are refused by name, unless Cloudflare is on it, too", async () => {
    await rehearsal.set({ ANTHROPIC_BASE_URL: "http://localhost:11434" });
    vi.stubEnv("CLOUDFLARE_API_BASE_URL", "https://api.cloudflare.invalid/client/v4");
    await expect(deploy()).rejects.toThrow("ANTHROPIC_BASE_URL leads to this machine");
    vi.stubEnv("CLOUDFLARE_API_BASE_URL", rehearsal.cloudflare.url);
    await deploy();
  });

  it.each([
    ["--name", "Errand"],
    ["--name", "a--b"],
    ["--location", "mars"],
    ["--vars", "missing.vars"],
  ])("such as %s %s are refused", async (option, value) => {
    await expect(deploy(option, value)).rejects.toThrow(option);
  });

  it("that are answered on the terminal are asked once, and kept for their owner alone", async () => {
    const asked: string[] = [];
    rehearsal.ask = (question, options) => {
      asked.push(`${question}${options?.hidden === true ? "*" : ""}`);
      if (question.startsWith("Location")) return Promise.resolve("enam");
      return Promise.resolve(question.startsWith("ANTHROPIC_API_KEY") ? "sk-ant-typed-by-hand" : "");
    };
    const said = await rehearsal.run("deploy");
    expect(asked).toHaveLength(4);
    expect(asked.filter((question) => question.endsWith("*"))).toHaveLength(2);
    expect(asked[0]).toMatch(/^Location/);
    expect(said).not.toContain("sk-ant-typed");
    expect(rehearsal.cloudflare.account.databases.get("errand")?.region).toBe("ENAM");
    asked.length = 0;
    await rehearsal.run("deploy");
    expect(asked).toHaveLength(0);
    await rehearsal.run("deploy", "--yes", "--remove", "ANTHROPIC_API_KEY");
    expect(rehearsal.picture().workers["errand-planner"]?.secrets).toEqual([]);
  });
});

it("a Worker that answers something else than its health is an error, and one that nobody reaches yet is not", async () => {
  rehearsal.health = { kind: "unreachable", reason: "ENOTFOUND" };
  expect(await deploy()).toContain("cannot be reached from here yet");
  rehearsal.health = { kind: "wrong", reason: "HTTP 302 (is Access in front of it?)" };
  await expect(deploy()).rejects.toThrow("HTTP 302");
});

it("names of things that are too long for what they become are refused", () => {
  expect(() => checkName("a".repeat(41))).toThrow("--name");
  expect(checkName("a".repeat(40))).toHaveLength(40);
});

it("what wrangler prints is read for the words that its event leaves out", () => {
  const event = {
    type: "command-failed",
    code: 10_021,
    message: "A request to the Cloudflare API (/x) failed.",
  };
  const output = `${String.fromCharCode(27)}[31m✘ [ERROR] A request to the Cloudflare API (/x) failed.\n\n  binding LOADER of type worker_loader is invalid [code: 10021]\n`;
  const error = makeError([event], output);
  expect({ code: error.code, message: error.message }).toEqual({
    code: 10_021,
    message: "binding LOADER of type worker_loader is invalid",
  });
  expect(isPaidOnly(error)).toBe(true);
  expect(makeError([], "it fell over").message).toBe("it fell over");
});

it("failures say Cloudflare's words, its code, and what to do", () => {
  const words = (code: number, message = "No.") =>
    explainFailure(new WranglerError(message, code), "0".repeat(32));
  expect(words(10_143)).toMatch(/^No\. \[code 10143\]\n.*deploy again/);
  expect(words(10_195)).toContain("/workers/plans");
  expect(words(0, "fetch failed")).toBe("fetch failed");
});
