/** `npm run doctor` on this machine: every fault is named, with what mends it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { examineLocal } from "../../scripts/doctor/local.ts";
import { listSick, openPlatforms } from "../support/doctor.ts";
import { API_KEY, openPipeline, type Pipeline, WEBHOOK_SECRET } from "../support/pipeline.ts";

const platforms = openPlatforms();
const { telegram } = platforms;

describe("on this machine", () => {
  let pipeline: Pipeline;
  let state: string;
  beforeAll(async () => {
    pipeline = await openPipeline();
    state = await mkdtemp(join(tmpdir(), "errand-doctor-"));
    await writeFile(join(state, "local.json"), JSON.stringify({ url: pipeline.url, apiKey: API_KEY }));
  });
  afterAll(async () => {
    await pipeline.close();
    await rm(state, { recursive: true });
  });

  const look = async (settings: Record<string, string>) => {
    const file = join(state, "settings.vars");
    await writeFile(
      file,
      Object.entries(settings)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    );
    return examineLocal(state, file);
  };
  const healthy = () => ({
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_BASE: platforms.telegramUrl,
    TELEGRAM_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ANTHROPIC_BASE_URL: platforms.modelUrl,
  });

  it("finds nothing wrong with one that runs, after its clock has rung", async () => {
    telegram.webhook = { url: "https://a-tunnel.example/hooks/telegram" };
    await pipeline.ring();
    await pipeline.runtime.ring("errand-notifier");
    const findings = await look(healthy());
    expect(listSick(findings)).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        "address",
        "clock",
        "clock of the watch",
        "alerts",
        "dead letters",
        "a task",
        "Telegram: token",
        "Telegram: webhook",
        "Telegram: our door",
        "model",
      ]),
    );
    // The webhook that says nothing has left nothing.
    expect(await pipeline.sql("SELECT 1 FROM inbound")).toEqual([]);
  });

  it.each<[string, () => Record<string, string>, RegExp]>([
    [
      "another secret than the one it was started with",
      () => ({ ...healthy(), TELEGRAM_WEBHOOK_SECRET: "another" }),
      /^Telegram: our door: it knows another secret/,
    ],
    [
      "a secret that is not set",
      () => ({ TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_API_BASE: platforms.telegramUrl }),
      /^Telegram: settings: TELEGRAM_WEBHOOK_SECRET is not set/,
    ],
    ["no model", () => ({}), /^model: none is configured.*ANTHROPIC_API_KEY/],
    [
      "a model whose price nobody knows",
      () => ({ ANTHROPIC_BASE_URL: platforms.modelUrl, ANTHROPIC_MODEL: "stand-in" }),
      /^model: price: its price is not known/,
    ],
    ["no chat", () => ({}), /^chats: no channel is configured/],
    [
      "settings that cannot be read",
      () => ({ ANTHROPIC_BASE_URL: "nowhere" }),
      /^settings: ANTHROPIC_BASE_URL must be a URL/,
    ],
    [
      "a server that is not there",
      () => ({ ANTHROPIC_BASE_URL: "http://127.0.0.1:1" }),
      /^model: .*cannot be reached/,
    ],
  ])("names %s", async (_, settings, words) => {
    expect(listSick(await look(settings()))).toEqual(expect.arrayContaining([expect.stringMatching(words)]));
  });

  it("names a clock that has stopped, doorbells that nobody answers, and what was put aside", async () => {
    await pipeline.ring();
    await pipeline.sql("UPDATE signs SET at = 1000 WHERE name = 'clock'");
    await pipeline.sql("INSERT INTO outbox (queue, key, ring_at) VALUES ('replies', 'x', 1)");
    await pipeline.sql(
      "INSERT INTO outbox (queue, key, ring_at, parked_reason, parked_at) VALUES ('inbound', 'y', 1, 'broken', 1)",
    );
    expect(listSick(await look({}))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^clock: it has not rung for \d+ minutes/),
        expect.stringMatching(/^queue replies: 1 doorbells are overdue/),
        expect.stringMatching(/^dead letters: 1 were put aside.*npm run dead-letters/),
      ]),
    );
  });

  it("says that nothing runs, where nothing runs", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "errand-doctor-"));
    expect(listSick(await examineLocal(elsewhere, join(elsewhere, "none")))[0]).toMatch(
      /^address: nothing was ever started.*npm start/,
    );
    await writeFile(
      join(elsewhere, "local.json"),
      JSON.stringify({ url: "http://127.0.0.1:1", apiKey: API_KEY }),
    );
    expect(listSick(await examineLocal(elsewhere, join(elsewhere, "none")))[0]).toMatch(
      /^address: nobody answers/,
    );
    await rm(elsewhere, { recursive: true });
  });
});
