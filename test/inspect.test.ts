/** `npm run inspect`: what ingress would answer and understand, for webhooks that were captured elsewhere. */
import { execFile } from "node:child_process";
import { expect, it } from "vitest";

const SECRET = "a-webhook-secret";
const message = {
  message_id: 5,
  date: 1,
  from: { id: 77, first_name: "Ada" },
  chat: { id: 77, type: "private" },
  text: "/run@bot 1",
};
const body = JSON.stringify({ update_id: 0, message });
const request = { method: "POST", headers: { "X-Telegram-Bot-Api-Secret-Token": SECRET }, body };
const secrets = { TELEGRAM_WEBHOOK_SECRET: SECRET };

async function inspect(lines: readonly unknown[]): Promise<unknown[]> {
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(process.execPath, ["scripts/inspect.ts"], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
    child.stdin?.end(
      lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
    );
  });
  return output
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

it("answers line for line, in order", async () => {
  const event = {
    channel: "telegram",
    kind: "command",
    conversationId: "77",
    threadId: null,
    userId: "77",
    text: "/run 1",
    dedupKey: "0:77",
    command: "run",
  };
  const post = { channel: "telegram", request, verify: true, secrets };
  const unread = { ...post, request: { ...request, body: "[]" } };
  const unknown = { ...post, request: { ...request, body: '{"update_id":4,"poll":{}}' } };
  const answers = await inspect([
    // JSON may hold it as it is, and it ends no line.
    { ...post, note: "\u2028" },
    { ...post, verify: false, secrets: {}, bot: { id: 1, username: "bot" } },
    { ...post, secrets: { TELEGRAM_WEBHOOK_SECRET: "another" } },
    { ...post, secrets: {} },
    unread,
    unknown,
    { ...post, channel: "pigeon" },
    { ...post, request: { ...request, method: "GET", query: { a: "1" } } },
    "not JSON",
    { channel: "telegram" },
  ]);
  const nothing = {
    kind: "ignored",
    conversationId: null,
    threadId: null,
    userId: null,
    text: null,
    dedupKey: "4",
  };
  expect(answers).toMatchObject([
    { status: 200, body: '{"ok":true}', events: [event] },
    { status: 200, events: [event] },
    { status: 401, events: [], error: expect.stringContaining("secret") },
    { status: 503, events: [], error: expect.stringContaining("TELEGRAM_WEBHOOK_SECRET") },
    { status: 200, events: [], error: expect.any(String) },
    { status: 200, events: [nothing] },
    { status: 404, events: [], error: expect.stringContaining("telegram") },
    { status: 405, events: [] },
    { status: null, error: expect.stringContaining("JSON") },
    { status: null, error: expect.stringContaining("request") },
  ]);
});
