/** What stands in the way of a deploy: each is named with what mends it, before anything is half done. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { TelegramServer } from "../../fakes/telegram-server.ts";
import { explainFailure, isPaidOnly } from "../../scripts/cloudflare/failures.ts";
import { checkName } from "../../scripts/cloudflare/target.ts";
import { makeError, WranglerError } from "../../scripts/cloudflare/wrangler.ts";
import { CloudRehearsal } from "../support/cloudflare.ts";

const rehearsal = new CloudRehearsal();
const telegram = new TelegramServer();
let telegramUrl: string;
beforeAll(async () => {
  await rehearsal.open();
  telegramUrl = await telegram.listen();
});
afterAll(async () => {
  await rehearsal.close();
  await telegram.close();
});
beforeEach(async () => {
  await rehearsal.begin();
  telegram.reset();
});

const deploy = (...args: string[]) => rehearsal.run("deploy", "--yes", ...args);

describe("Workers Free", () => {
  it("gets everything but the runner, without limits, and with batches that its bounds can bear", async () => {
    rehearsal.cloudflare.account.plan = "free";
    const said = await deploy();
    const { scripts } = rehearsal.cloudflare.account;
    expect([...scripts.keys()]).toEqual([
      "errand-notifier",
      "errand-planner",
      "errand-executor",
      "errand-ingress",
    ]);
    const executor = rehearsal.cloudflare.account.live("errand-executor");
    expect(executor.bindings.map(({ name }) => name)).not.toContain("RUNNER");
    const batches = [...rehearsal.cloudflare.account.queues.values()].flatMap(({ consumers }) =>
      consumers.map(({ settings }) => settings),
    );
    expect(batches).toEqual(Array.from({ length: 4 }, () => expect.objectContaining({ max_batch_size: 1 })));
    expect(said).toContain("Workers Free: code cannot be run");
  });

  it("becomes Paid with the next deploy, and is tried anew each time", async () => {
    rehearsal.cloudflare.account.plan = "free";
    await deploy();
    await deploy();
    expect(rehearsal.commands).toHaveLength(1);
    rehearsal.cloudflare.account.plan = "paid";
    await deploy();
    expect(rehearsal.commands).toHaveLength(5);
    expect(rehearsal.cloudflare.account.live("errand-executor").bindings.map(({ name }) => name)).toContain(
      "RUNNER",
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
  });
});

describe("Telegram", () => {
  const settings = () => ({ TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_API_BASE: telegramUrl });

  it("is led to the installation with a secret that was made here, and with the menu of commands", async () => {
    await rehearsal.set(settings());
    const said = await deploy();
    const url = "https://errand-ingress.someone.workers.dev/hooks/telegram";
    const { made } = await rehearsal.record();
    expect(telegram.webhook).toMatchObject({ url, secret_token: made["TELEGRAM_WEBHOOK_SECRET"] });
    const secret = rehearsal.cloudflare.account
      .live("errand-ingress")
      .bindings.find(({ name }) => name === "TELEGRAM_WEBHOOK_SECRET");
    expect(secret?.["text"]).toBe(made["TELEGRAM_WEBHOOK_SECRET"]);
    expect(telegram.menu.map(({ command }) => command)).toEqual(
      expect.arrayContaining(["run", "stop", "help"]),
    );
    for (const name of ["TELEGRAM_BOT_ID", "TELEGRAM_BOT_USERNAME"])
      expect(rehearsal.cloudflare.account.live("errand-ingress").bindings.map((one) => one.name)).toContain(
        name,
      );
    expect(said).not.toContain(telegram.token);
    expect(said).toContain("https://t.me/errand_test_bot: it answers with a code");
    expect(said).toContain("npm run pair -- --name errand CODE --admin");
    // It was told, so it is not told again; what it was told otherwise, it is.
    await deploy();
    expect(rehearsal.said.join()).toContain("everything is as it should be");
    telegram.webhook = { url: "https://elsewhere.example/" };
    expect(await deploy()).toContain(
      "leads Telegram to https://errand-ingress.someone.workers.dev/hooks/telegram, away from https://elsewhere.example/",
    );
    await rehearsal.run("destroy", "--confirm", "errand");
    expect(telegram.webhook.url).toBe("");
  });

  it("is waited for when it asks to", async () => {
    await rehearsal.set(settings());
    let asked = 0;
    telegram.faultOf = ({ method }) =>
      method === "setWebhook" && asked++ === 0
        ? { status: 429, description: "Too Many Requests: retry after 0", parameters: { retry_after: 0 } }
        : undefined;
    await deploy();
    expect(telegram.webhook.url).toContain("errand-ingress");
  });

  it("that serves somebody else by now is left as it is when the installation goes", async () => {
    await rehearsal.set(settings());
    await deploy();
    telegram.webhook = { url: "https://elsewhere.example/" };
    expect(await rehearsal.run("destroy", "--confirm", "errand")).toContain(
      "left as it is: it leads to https://elsewhere.example/",
    );
    expect(telegram.webhook.url).toBe("https://elsewhere.example/");
  });

  it("is not taken from another installation", async () => {
    await rehearsal.set(settings());
    await deploy();
    await expect(deploy("--name", "second")).rejects.toThrow(
      /serves your installation errand.*--name second --vars .second.vars/,
    );
    expect(telegram.webhook.url).toContain("errand-ingress");
    expect([...rehearsal.cloudflare.account.scripts.keys()].filter((name) => /second/.test(name))).toEqual(
      [],
    );
    // One that is gone owns nothing.
    await rehearsal.run("destroy", "--confirm", "errand");
    await deploy("--name", "second");
    expect(telegram.webhook.url).toContain("second-ingress");
  });

  it("that does not know the token is told of before anything is made, without the token", async () => {
    await rehearsal.set({
      ...settings(),
      TELEGRAM_BOT_TOKEN: "4839574812:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    });
    const refusal = await deploy().catch(String);
    expect(refusal).toMatch(/401.*TELEGRAM_BOT_TOKEN/);
    expect(refusal).not.toContain("AAAAAAAA");
    expect(rehearsal.commands).toEqual([]);
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
