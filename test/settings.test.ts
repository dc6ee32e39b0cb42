/** Configuration of this machine: who gets which variable, and what is said about a file that cannot be read. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findModel } from "../scripts/installation/find/anthropic.ts";
import { findBot } from "../scripts/installation/find/telegram.ts";
import { TelegramServer } from "../fakes/telegram-server.ts";
import { readSettings, VARIABLE_GROUPS, selectVars } from "../scripts/installation/settings.ts";
import { readTimings } from "../shared/config.ts";
import { WORKERS } from "../shared/variables.ts";

let folder: string;
const complaints = vi.spyOn(console, "error").mockImplementation(() => undefined);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "errand-settings-"));
  complaints.mockClear();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function read(text: string) {
  const file = join(folder, ".dev.vars");
  await writeFile(file, text);
  return readSettings(file);
}

it("the example names every variable, with what it is for", async () => {
  const lines = VARIABLE_GROUPS.flatMap(({ title, variables }) => [
    `# ${title}`,
    ...variables.flatMap(({ name, about }) => [...about.map((line) => `# ${line}`), `${name}=`]),
    "",
  ]);
  const head =
    "# Copy to .dev.vars (for an installation on Cloudflare, to .prod.vars) and fill in. Environment variables of the same names win.\n" +
    "# Everything is optional: without any of it the HTTP API works on this machine.\n\n";
  await expect(`${head}${lines.join("\n")}`).toMatchFileSnapshot("../.dev.vars.example");
});

describe("settings", () => {
  it("come from the file, overridden by the environment, and an empty one is none", async () => {
    vi.stubEnv("TELEGRAM_WEBHOOK_SECRET", "from-the-environment");
    const settings = await read(
      "TELEGRAM_WEBHOOK_SECRET=from-the-file\nTELEGRAM_BOT_TOKEN=1:a # mine\nTELEGRAM_API_BASE=\n",
    );
    expect(settings).toEqual({
      TELEGRAM_WEBHOOK_SECRET: "from-the-environment",
      TELEGRAM_BOT_TOKEN: "1:a",
    });
    expect(complaints).not.toHaveBeenCalled();
    expect(await readSettings(join(folder, "missing"))).toEqual({
      TELEGRAM_WEBHOOK_SECRET: "from-the-environment",
    });
  });

  it.each([
    ["ANTHROPIC_BASE_URL=localhost:1", "ANTHROPIC_BASE_URL must be a URL"],
    ["TELEGRAM_WEBHOOK_SECRET='not this!'", "TELEGRAM_WEBHOOK_SECRET must be at most 256 characters"],
    ["AI_GATEWAY_ID=mine", "AI_GATEWAY_ACCOUNT_ID and AI_GATEWAY_ID go together"],
    [
      "TELEGRAM_BOT_TOKEN=abc\nANTHROPIC_PRICE=2",
      /TELEGRAM_BOT_TOKEN must be[^]*ANTHROPIC_PRICE must be|ANTHROPIC_PRICE must be[^]*TELEGRAM_BOT_TOKEN must be/,
    ],
    ["ERRAND_ALERT_CHAT=pigeon:1", "ERRAND_ALERT_CHAT names no chat of telegram: telegram:<id>."],
    ["ERRAND_ALERT_URL=https://x.example", "ERRAND_ALERT_URL and ERRAND_ALERT_SECRET go together"],
    ["TELEGRAM_ALLOWED_USERS=ada", "TELEGRAM_ALLOWED_USERS must be ids"],
  ])("such as %s are refused by their name", async (line, words) => {
    await expect(read(line)).rejects.toThrow(words);
  });

  it("that are misspelt or say nothing are named with their place", async () => {
    await read("# fine\n\nTELEGRAM_WEBHOOK_SECRT=x\nwhat?\n");
    expect(complaints.mock.calls.flat()).toEqual([
      expect.stringMatching(/TELEGRAM_WEBHOOK_SECRT is not a variable/),
      expect.stringMatching(/line 4 is not NAME=value/),
    ]);
  });

  it("are told the bot's name by Telegram, and say so when it does not", async () => {
    const telegram = new TelegramServer();
    const settings = { TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_API_BASE: await telegram.listen() };
    // The token begins with the id, and ingress needs it without the rest.
    const found = { TELEGRAM_BOT_ID: "4839574812" };
    expect(await findBot(settings, console.error)).toEqual({
      ...found,
      TELEGRAM_BOT_USERNAME: "errand_test_bot",
    });
    expect(await findBot({ ...settings, TELEGRAM_BOT_USERNAME: "mine" }, console.error)).toEqual(found);
    expect(complaints).not.toHaveBeenCalled();
    await telegram.close();
    expect(await findBot(settings, console.error)).toEqual(found);
    expect(complaints.mock.calls.flat().join()).toContain("TELEGRAM_BOT_USERNAME");
    expect(complaints.mock.calls.flat().join()).not.toContain(telegram.token);
  });

  it("without a model name Ollama's newest, when it answers", async () => {
    const ollama = createServer((_, response) =>
      response.end(JSON.stringify({ models: [{ name: "qwen3:8b" }, { name: "old" }] })),
    );
    await new Promise<void>((resolve) => ollama.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${(ollama.address() as AddressInfo).port}`;
    expect(await findModel({}, host)).toEqual({
      ANTHROPIC_MODEL: "qwen3:8b",
      ANTHROPIC_BASE_URL: `http://${host}`,
    });
    const [, port = ""] = host.split(":");
    for (const form of [port, `:${port}`, `0.0.0.0:${port}`, `[::]:${port}`, `http://${host}/`])
      expect(await findModel({}, form)).toMatchObject({ ANTHROPIC_BASE_URL: `http://${host}` });
    for (const configured of [
      { ANTHROPIC_API_KEY: "key" },
      { ANTHROPIC_BASE_URL: "http://localhost:1" },
      { AI_GATEWAY_ACCOUNT_ID: "account", AI_GATEWAY_ID: "gateway" },
    ])
      expect(await findModel(configured, host)).toEqual({});
    ollama.close();
    expect(await findModel({}, "127.0.0.1:1")).toEqual({});
  });

  it.each([
    ['{"nope":1,"album_ms":5}', "there is no nope"],
    ['{"album_ms":-1}', "album_ms must be whole milliseconds"],
    ["soon", "it must be JSON"],
  ])("of times such as %s are refused by their name", (text, words) => {
    expect(() => readTimings({ ERRAND_TIMINGS: text })).toThrow(words);
  });

  it("go to the Workers that need them, and to no other", () => {
    const settings = {
      TELEGRAM_BOT_TOKEN: "1:a$b",
      TELEGRAM_WEBHOOK_SECRET: "s",
      TELEGRAM_ALLOWED_USERS: "*",
    };
    const vars = Object.fromEntries(WORKERS.map((worker) => [worker, selectVars(worker, settings)]));
    expect(vars).toEqual({
      ingress: { TELEGRAM_WEBHOOK_SECRET: "s" },
      planner: { TELEGRAM_ALLOWED_USERS: "*" },
      executor: {},
      notifier: { TELEGRAM_BOT_TOKEN: "1:a$b" },
    });
  });
});
