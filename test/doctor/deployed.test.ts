/** `npm run doctor -- --name …` against installations that are broken in one way each: every fault is named, with what mends it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CloudRehearsal } from "../support/cloudflare.ts";
import { listSick, openPlatforms } from "../support/doctor.ts";

const platforms = openPlatforms();
const { telegram, model } = platforms;

describe("on Cloudflare", () => {
  const rehearsal = new CloudRehearsal();
  const settings = () => ({
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_BASE: platforms.telegramUrl,
    ANTHROPIC_BASE_URL: platforms.modelUrl,
    ANTHROPIC_MODEL: "stand-in",
    ANTHROPIC_PRICE: "2/10",
  });
  beforeAll(() => rehearsal.open());
  afterAll(() => rehearsal.close());
  beforeEach(async () => {
    await rehearsal.begin();
    await rehearsal.set(settings());
    await rehearsal.run("deploy", "--yes");
  });
  const look = async () => listSick(await rehearsal.examine()).filter((line) => !line.startsWith("address:"));

  it("finds nothing wrong with what was just deployed, but that this process does not run it", async () => {
    expect(listSick(await rehearsal.examine())).toEqual([
      expect.stringMatching(/^address: nobody answers.*npm run deploy -- --name errand/),
    ]);
  });

  it.each<[string, () => void, RegExp]>([
    [
      "a bucket that is gone",
      () => rehearsal.cloudflare.account.buckets.clear(),
      /^bucket: errand-files is gone/,
    ],
    [
      "a queue that is gone",
      () => rehearsal.cloudflare.account.queues.delete("errand-replies"),
      /^queue errand-replies: it is gone/,
    ],
    [
      "a queue without a consumer",
      () => void rehearsal.cloudflare.account.queue("errand-tasks").consumers.splice(0),
      /^errand-executor: nobody consumes errand-tasks/,
    ],
    [
      "a consumer of somebody else's",
      () =>
        Object.assign(rehearsal.cloudflare.account.queue("errand-tasks").consumers[0] ?? {}, {
          script: "other-executor",
        }),
      /^errand-executor: other-executor consumes errand-tasks: npx wrangler queues consumer remove/,
    ],
    [
      "another dead-letter queue",
      () =>
        Object.assign(rehearsal.cloudflare.account.queue("errand-tasks").consumers[0] ?? {}, {
          dead_letter_queue: "other",
        }),
      /^errand-executor: what cannot be handled in errand-tasks goes to other, and not to errand-dead-letters/,
    ],
    [
      "a Worker that is gone",
      () => rehearsal.cloudflare.account.deleteScript("errand-planner", true),
      /^errand-planner: it is not there/,
    ],
    [
      "a binding to another installation",
      () =>
        Object.assign(
          rehearsal.cloudflare.account.live("errand-ingress").bindings.find(({ name }) => name === "TASKS") ??
            {},
          { queue_name: "other-tasks" },
        ),
      /^errand-ingress: its TASKS is bound to "other-tasks", and not to errand-tasks/,
    ],
    [
      "a secret that is not set",
      () => rehearsal.cloudflare.account.changeSecrets("errand-notifier", { TELEGRAM_BOT_TOKEN: null }),
      /^errand-notifier: its secret TELEGRAM_BOT_TOKEN is not set/,
    ],
    [
      "no clock",
      () => Object.assign(rehearsal.cloudflare.account.script("errand-ingress"), { schedules: [] }),
      /^errand-ingress: it has no clock/,
    ],
    [
      "a Worker of another version",
      () => {
        const { metadata } = rehearsal.cloudflare.account.live("errand-executor");
        const other = { ...metadata, annotations: { "workers/tag": "an-other" } };
        rehearsal.cloudflare.account.upload("errand-executor", other, true);
      },
      /^errand-executor: its version is an-other, and this clone's [0-9a-f]{16}: another release/,
    ],
    [
      "a migration that is missing",
      () =>
        rehearsal.cloudflare.account
          .database("errand")
          .db.exec("DELETE FROM d1_migrations WHERE name LIKE '0015%'"),
      /^migrations: 0015_signs.sql is not applied/,
    ],
    [
      "no key",
      () => rehearsal.cloudflare.account.database("errand").db.exec("DELETE FROM api_keys"),
      /^API keys: there is none.*--new-key/,
    ],
    [
      "no runner",
      () => rehearsal.cloudflare.account.deleteScript("errand-runner", true),
      /^errand-runner: it is not there/,
    ],
    [
      "a webhook that leads elsewhere",
      () => void (telegram.webhook = { ...telegram.webhook, url: "https://elsewhere/hooks/telegram" }),
      /^Telegram: webhook: it leads to https:\/\/elsewhere.*npm run deploy/,
    ],
    ["no webhook", () => void (telegram.webhook = { url: "" }), /^Telegram: webhook: none is set/],
    [
      "a webhook with another secret",
      () =>
        Object.assign(telegram.webhook, {
          last_error_date: Date.now() / 1_000 - 5 > 0 ? Math.round(Date.now() / 1_000) - 5 : 0,
          last_error_message: "Wrong response from the webhook: 401 Unauthorized",
        }),
      /^Telegram: webhook: Telegram's last try failed.*401.*another secret/,
    ],
    [
      "a webhook behind Access",
      () =>
        Object.assign(telegram.webhook, {
          last_error_date: Math.round(Date.now() / 1_000),
          last_error_message: "Wrong response from the webhook: 302 Found",
        }),
      /302.*take Access away/,
    ],
    [
      "a model that does not know its name",
      () => void (model.answerTo = () => ({ status: 404 })),
      /^model: .*ANTHROPIC_MODEL/,
    ],
    [
      "a key that the model refuses",
      () => void (model.answerTo = () => ({ status: 401 })),
      /^model: .*ANTHROPIC_API_KEY/,
    ],
    [
      "a gateway's refusal",
      () =>
        void (model.answerTo = () => ({ status: 401, body: { success: false, error: [{ code: 10000 }] } })),
      /^model: .*AI Gateway Run/,
    ],
  ])("names %s", async (_, breakIt, words) => {
    breakIt();
    expect(await look()).toEqual(expect.arrayContaining([expect.stringMatching(words)]));
  });

  it.each<[string, () => void]>([
    [
      "a consumer that was detached",
      () => void rehearsal.cloudflare.account.queue("errand-tasks").consumers.splice(0),
    ],
    ["a queue that is gone", () => rehearsal.cloudflare.account.queues.delete("errand-inbound")],
    [
      "no clock",
      () => Object.assign(rehearsal.cloudflare.account.script("errand-ingress"), { schedules: [] }),
    ],
    [
      "another dead-letter queue",
      () =>
        Object.assign(rehearsal.cloudflare.account.queue("errand-tasks").consumers[0] ?? {}, {
          dead_letter_queue: "other",
        }),
    ],
    ["a database that is gone", () => rehearsal.cloudflare.account.databases.delete("errand")],
    [
      "a Worker that strangers reach",
      () => Object.assign(rehearsal.cloudflare.account.script("errand-planner").subdomain, { enabled: true }),
    ],
  ])("says what mends %s, and a deploy does", async (_, breakIt) => {
    breakIt();
    expect((await look()).join()).toContain("npm run deploy -- --name errand");
    await rehearsal.run("deploy", "--yes");
    expect(await look()).toEqual([]);
  });

  it("names a token that the account refuses, and a bot's that Telegram refuses, and shows neither", async () => {
    rehearsal.cloudflare.forbidden = /queues/;
    await rehearsal.set({
      ...settings(),
      TELEGRAM_BOT_TOKEN: "4839574812:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    });
    const found = await look();
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Cloudflare: .*D1 Edit, Queues Edit/s),
        expect.stringMatching(/^Telegram: token: .*@BotFather/),
      ]),
    );
    expect(found.join()).not.toContain("AAAAAAAA");
    expect(found.join()).not.toContain(rehearsal.cloudflare.token);
  });
});
