/** How a deploy leads a chat's platform to an installation, and away from it: one bot, one installation, one secret. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TelegramServer } from "../../fakes/telegram-server.ts";
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

  it("knows the secret of the door, whichever machine deployed it last, and after a rollback", async () => {
    const isKnown = () => {
      const { bindings } = rehearsal.cloudflare.account.live("errand-ingress");
      return (
        bindings.find(({ name }) => name === "TELEGRAM_WEBHOOK_SECRET")?.["text"] ===
        telegram.webhook["secret_token"]
      );
    };
    await rehearsal.set(settings());
    await deploy();
    const here = await readFile(join(rehearsal.state, "errand.json"), "utf8");
    await rehearsal.forget();
    await deploy();
    expect(isKnown()).toBe(true);
    await writeFile(join(rehearsal.state, "errand.json"), here);
    await deploy();
    expect(isKnown()).toBe(true);
    await rehearsal.set({ ...settings(), TELEGRAM_WEBHOOK_SECRET: "another-secret" });
    await deploy();
    expect(telegram.webhook["secret_token"]).toBe("another-secret");
    await rehearsal.run("rollback", "--yes");
    expect(telegram.webhook["secret_token"]).not.toBe("another-secret");
    expect(isKnown()).toBe(true);
  });

  it("is led away also from a machine that remembers nothing", async () => {
    await rehearsal.set(settings());
    await deploy();
    await rehearsal.forget();
    await rehearsal.run("destroy", "--confirm", "errand");
    expect(telegram.webhook.url).toBe("");
  });

  it("whose bot was taken out of the settings is named as left behind", async () => {
    await rehearsal.set(settings());
    await deploy();
    await rehearsal.set({});
    expect(await deploy("--remove", "TELEGRAM_BOT_TOKEN,TELEGRAM_API_BASE")).toContain(
      "Telegram still leads here",
    );
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
