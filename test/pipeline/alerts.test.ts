/** What an operator is told without asking: each fault once, in words that say what to do, and its end; by whichever sink is there. */
import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Status } from "../../shared/contracts/api.ts";
import { ModelServer, says } from "../../fakes/model-server.ts";
import { openPipeline, type Pipeline, privateText } from "../support/pipeline.ts";
import { SinkServer } from "../support/sink-server.ts";
import { until } from "../support/until.ts";

const NOTIFIER = "errand-notifier";
const OPERATOR = 900;
const SECRET = `whsec_${Buffer.from("a secret of at least 24 bytes").toString("base64")}`;
const URL_OF_IT = "https://errand.example";
const WAIT_MS_MAX = 60_000;

const model = new ModelServer();
const hooks = new SinkServer();
const tracker = new SinkServer();
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({
    // Every watch tells, and tries again, what there is.
    timings: { alert_hold_ms: 0, alert_calm_ms: 0, backoff_ms_max: 0, platform_call_ms: 2_000 },
    vars: {
      ANTHROPIC_BASE_URL: await model.listen(),
      ANTHROPIC_MODEL: "stand-in",
      ERRAND_ALERT_CHAT: `telegram:${OPERATOR}`,
      ERRAND_ALERT_URL: `http://${await hooks.listen()}/alerts`,
      ERRAND_ALERT_SECRET: SECRET,
      ERRAND_ERROR_DSN: `http://0123456789abcdef0123456789abcdef@${await tracker.listen()}/sub/42`,
      INSTALLATION: "shop",
      INSTALLATION_URL: URL_OF_IT,
    },
  });
  pipeline.telegram.webhook = { url: `${URL_OF_IT}/hooks/telegram` };
});
afterAll(async () => {
  await pipeline.close();
  for (const server of [model, hooks, tracker]) server.close();
});
beforeEach(() => {
  for (const sink of [hooks, tracker]) sink.received.length = 0;
});
afterEach(() => {
  pipeline.telegram.faultOf = () => undefined;
  model.answerTo = () => says("Here you are.");
});

interface Told {
  type: string;
  timestamp: string;
  data: { kind: string; subject: string; where: string; title: string; detail: string; mend: string };
}

const watch = () => pipeline.runtime.ring(NOTIFIER);
const told = (): Told[] => hooks.received.map(({ body }) => JSON.parse(body) as Told);
const brief = () => told().map(({ type, data }) => [type, data.kind, data.subject]);
const inChat = () => pipeline.telegram.in(OPERATOR).map(({ text }) => text);
const alertsNow = async () => (await pipeline.api<Status>("GET", "/status")).body.alerts;

/** It is told at the first watch, not again at the second; after it is mended its end is told, once. */
async function expectOnce(
  kind: string,
  subject: string,
  mend: () => Promise<unknown>,
): Promise<{ firing: Told["data"] }> {
  await watch();
  await watch();
  expect(brief()).toEqual([["alert.firing", kind, subject]]);
  const [firing] = told();
  expect(await alertsNow()).toMatchObject([{ kind, subject }]);
  await mend();
  await watch();
  await watch();
  expect(brief().slice(1)).toEqual([["alert.resolved", kind, subject]]);
  expect(await alertsNow()).toEqual([]);
  if (firing === undefined) throw new Error("nothing was told");
  return { firing: firing.data };
}

describe("what is wrong is told once, and so is its end", () => {
  it("nothing, while nothing is", async () => {
    await pipeline.ring();
    await watch();
    await watch();
    expect(brief()).toEqual([]);
    expect((await pipeline.api<Status>("GET", "/status")).body.watched_at).not.toBeNull();
  });

  it("something that was put aside, to each sink in its own form", async () => {
    await pipeline.hook({ update_id: 1, message: { text: "nobody can read this" } });
    const discardAll = async () => {
      const { body } = await pipeline.api<{ dead_letters: { queue: string; key: string }[] }>(
        "GET",
        "/dead-letters",
      );
      for (const { queue, key } of body.dead_letters)
        await pipeline.api("DELETE", `/dead-letters/${queue}/${key}`);
    };
    const { firing } = await expectOnce("parked", "inbound", discardAll);
    expect(firing).toMatchObject({
      where: "Errand shop",
      title: "something was put aside (inbound)",
      mend: expect.stringContaining("`npm run dead-letters -- replay all --name shop`"),
    });
    expect(firing.detail).toMatch(/^1 put aside; the newest: /);

    const [sent] = hooks.received;
    const id = String(sent?.headers["webhook-id"]);
    const at = String(sent?.headers["webhook-timestamp"]);
    const mac = createHmac("sha256", Buffer.from(SECRET.slice("whsec_".length), "base64"));
    const expected = mac.update(`${id}.${at}.${sent?.body}`).digest("base64");
    expect(sent?.headers["webhook-signature"]).toBe(`v1,${expected}`);
    expect(new Set(hooks.received.map(({ headers }) => headers["webhook-id"])).size).toBe(2);

    expect(tracker.received).toHaveLength(2);
    const [event] = tracker.received;
    expect(event).toMatchObject({
      path: "/sub/api/42/envelope/",
      headers: {
        "x-sentry-auth": expect.stringContaining("sentry_key=0123456789abcdef0123456789abcdef"),
      },
    });
    const [header, item, payload] = (event?.body ?? "").split("\n").map((line) => line && JSON.parse(line));
    expect(item).toEqual({ type: "event" });
    expect(payload).toMatchObject({
      event_id: header.event_id,
      level: "error",
      environment: "shop",
      fingerprint: ["errand", "shop", "parked", "inbound"],
    });
    expect(header.event_id).toMatch(/^[0-9a-f]{32}$/);

    const shown = await until(() => inChat().length === 2 && inChat(), WAIT_MS_MAX, "both in the chat");
    expect(shown[0]).toContain("🔴 Errand shop: something was put aside (inbound).");
    expect(shown[1]).toContain("🟢 Resolved:");
    await pipeline.quiet();
    expect(inChat()).toHaveLength(2);
  });

  it("a model that refuses its key", async () => {
    model.answerTo = () => ({ status: 401 });
    await pipeline.hook(privateText(11, "Hello"));
    await pipeline.quiet();
    const { firing } = await expectOnce("misconfigured", "model", async () => {
      // Nobody writes: whether it was mended is not known.
      await watch();
      expect(brief()).toHaveLength(1);
      model.answerTo = () => says("Here you are.");
      await pipeline.hook(privateText(11, "Hello again"));
      await pipeline.quiet();
    });
    expect(firing.title).toBe("a setting of the model is missing or wrong");
    expect(firing.detail).toContain("check ANTHROPIC_API_KEY");
  });

  it("a token that is refused, which keeps the chat from being told, and nobody else", async () => {
    const before = inChat().length;
    pipeline.telegram.faultOf = () => ({ status: 401, description: "Unauthorized" });
    await pipeline.hook(privateText(12, "/run 6 * 7"));
    await pipeline.quiet();
    const { firing } = await expectOnce("misconfigured", "telegram", async () => {
      await pipeline.quiet();
      // The answer, and the telling in the chat: once the token is taken they go on by themselves.
      expect((await pipeline.api<Status>("GET", "/status")).body.dead_letters).toBe(2);
      pipeline.telegram.faultOf = () => undefined;
    });
    await pipeline.quiet();
    expect(firing.detail).toContain("TELEGRAM_BOT_TOKEN is refused");
    expect(pipeline.telegram.in(12).map(({ text }) => text)).toEqual([expect.stringContaining("42")]);
    // The end is told when the beginning is shown.
    const isTold = async () => (await watch(), inChat().length === before + 2);
    await until(isTold, WAIT_MS_MAX, "both in the chat");
  });

  it("the same failure three times, and not twice", async () => {
    model.answerTo = () => ({ status: 400 });
    const fail = async (chat: number) => {
      await pipeline.hook(privateText(chat, "Fail"));
      await pipeline.quiet();
    };
    await fail(13);
    await fail(14);
    await watch();
    expect(brief()).toEqual([]);
    await fail(15);
    const { firing } = await expectOnce("failing", "model_failed", () =>
      pipeline.sql("UPDATE tasks SET ended_at = ended_at - 1000000 WHERE error IS NOT NULL"),
    );
    expect(firing.title).toBe("model_failed fails again and again");
    expect(firing.detail).toMatch(/^3 tasks; the newest: the model refused the request/);
  });

  it("a doorbell that is rung in vain", async () => {
    await pipeline.sql("INSERT INTO outbox (queue, key, ring_at, rings) VALUES ('tasks', 'task_x', 9e15, 8)");
    const { firing } = await expectOnce("failing", "queue tasks", () =>
      pipeline.sql("DELETE FROM outbox WHERE key = 'task_x'"),
    );
    expect(firing.detail).toBe("1 waiting, tried 8 times in vain");
  });

  it.each([
    [
      "leads elsewhere",
      { url: "https://other.example/x" },
      "Telegram sends to https://other.example/x, and not",
    ],
    [
      "leads nowhere",
      { url: "" },
      "Telegram sends to nobody, and not to https://errand.example/hooks/telegram",
    ],
    [
      "is not reached",
      {
        url: `${URL_OF_IT}/hooks/telegram`,
        pending_update_count: 3,
        last_error_date: Math.floor(Date.now() / 1_000),
        last_error_message: "Wrong response from the webhook: 401 Unauthorized",
      },
      "Telegram cannot deliver 3 messages: Wrong response from the webhook: 401 Unauthorized",
    ],
  ])("a webhook that %s", async (_what, state, words) => {
    pipeline.telegram.webhook = state;
    const { firing } = await expectOnce("webhook", "telegram", async () => {
      // A platform that is down itself cannot tell that it was mended.
      pipeline.telegram.faultOf = ({ method }) =>
        method === "getWebhookInfo" ? { status: 500, description: "Internal" } : undefined;
      await watch();
      expect(brief()).toHaveLength(1);
      pipeline.telegram.faultOf = () => undefined;
      pipeline.telegram.webhook = { url: `${URL_OF_IT}/hooks/telegram` };
    });
    expect(firing.detail).toContain(words);
    expect(firing.title).toBe("messages from Telegram do not come in");
  });

  it("the sweep's clock", async () => {
    await pipeline.sql("UPDATE signs SET at = at - 1000000 WHERE name = 'clock'");
    const { firing } = await expectOnce("clock", "sweep", () => pipeline.ring());
    expect(firing).toMatchObject({ title: "the clock of the sweep has stopped" });
    expect(firing.mend).toContain("npm run deploy -- --name shop");
  });
});

describe("a sink that is down", () => {
  const stopClock = () => pipeline.sql("UPDATE signs SET at = at - 1000000 WHERE name = 'clock'");

  it.each([["fails", 503] as const, ["never answers", "silence"] as const])(
    "and %s is told later, and keeps nobody from anything",
    async (_what, answer) => {
      hooks.answers.push(answer);
      await stopClock();
      const watching = watch();
      await pipeline.hook(privateText(21, "/run 'meanwhile'"));
      await until(() => tracker.received.length === 1, WAIT_MS_MAX, "the tracker to be told");
      await pipeline.quiet();
      await watching;
      expect(told()).toEqual([]);
      await watch();
      expect(brief()).toEqual([["alert.firing", "clock", "sweep"]]);
      expect(tracker.received).toHaveLength(1);
      await pipeline.ring();
      await watch();
    },
  );

  it("hears of the beginning before it hears of the end", async () => {
    hooks.answers.push(404, 401, 503);
    await stopClock();
    await watch();
    await pipeline.ring();
    for (let i = 0; i < 4; i++) await watch();
    expect(brief().map(([type]) => type)).toEqual(["alert.firing", "alert.resolved"]);
  });
});

it("a token that is refused is told before anybody is to be answered, and hides nothing else", async () => {
  pipeline.telegram.webhook = { url: "https://other.example/x" };
  await watch();
  pipeline.telegram.faultOf = () => ({ status: 401, description: "Unauthorized" });
  await watch();
  expect(brief().map(([, kind]) => kind)).toEqual(["webhook", "misconfigured"]);
  expect(told().at(-1)?.data.mend).toContain("go on by themselves");
  pipeline.telegram.faultOf = () => undefined;
  pipeline.telegram.webhook = { url: `${URL_OF_IT}/hooks/telegram` };
  for (let i = 0; i < 3; i++) await watch();
  const resolved = ["misconfigured", "webhook"].map((kind) => ["alert.resolved", kind, "telegram"]);
  expect(brief().slice(2)).toEqual(expect.arrayContaining(resolved));
});

it("no log line, and no row, holds a secret of a sink", async () => {
  const secrets = [SECRET, "0123456789abcdef0123456789abcdef"];
  const rows = await pipeline.sql("SELECT * FROM notices");
  for (const secret of secrets) {
    expect(pipeline.logs.some((line) => line.includes(secret))).toBe(false);
    expect(JSON.stringify(rows)).not.toContain(secret);
  }
});
