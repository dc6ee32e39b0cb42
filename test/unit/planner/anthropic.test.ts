/** The ways to a model: where the request goes, and with which credentials. */
import { afterEach, expect, it, vi } from "vitest";
import type { AnthropicSettings } from "../../../workers/planner/models/anthropic/protocol.ts";
import { openClient } from "../../../workers/planner/models/anthropic/client.ts";

const request = {
  taskId: "task_1",
  tenantId: "acme",
  conversationId: "conv_1",
  system: "",
  tools: [],
  messages: [],
  answerTokensMax: 1,
  signal: AbortSignal.timeout(5_000),
  onText: () => Promise.resolve(),
  onAccepted: () => undefined,
  onWritten: () => undefined,
  onUsage: () => undefined,
};
const GATEWAY = { AI_GATEWAY_ACCOUNT_ID: "acc", AI_GATEWAY_ID: "gate", AI_GATEWAY_TOKEN: "gate-token" };
const AT_GATEWAY = "https://gateway.ai.cloudflare.com/v1/acc/gate/anthropic/v1/messages";

afterEach(() => {
  vi.restoreAllMocks();
});

/** What would be sent with these variables. */
async function sent(variables: AnthropicSettings): Promise<{ url: string; headers: Headers; model: string }> {
  const calls: { url: string; headers: Headers; model: string }[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const asked = new Request(input, init);
    const { model } = await asked.json<{ model: string }>();
    calls.push({ url: asked.url, headers: asked.headers, model });
    return Response.json({
      content: [{ type: "text", text: "hi" }],
      model,
      stop_reason: "end_turn",
      usage: { input_tokens: 1, output_tokens: 1 },
    });
  });
  const answer = await openClient(variables)?.complete(request);
  expect(answer).toMatchObject({ text: "hi" });
  const [first, ...more] = calls;
  expect(more).toEqual([]);
  if (first === undefined) throw new Error("nothing was sent");
  return first;
}

it("is none without a key, a server or a gateway", () => {
  expect(openClient({})).toBeNull();
  expect(openClient({ AI_GATEWAY_ACCOUNT_ID: "acc", ANTHROPIC_API_KEY: "" })).toBeNull();
});

it.each([
  [
    "Anthropic itself",
    { ANTHROPIC_API_KEY: "key" },
    "https://api.anthropic.com/v1/messages",
    { authorization: "Bearer key" },
  ],
  [
    "a server on one's own machine",
    { ANTHROPIC_BASE_URL: "http://localhost:11434", ANTHROPIC_MODEL: "qwen" },
    "http://localhost:11434/v1/messages",
    { authorization: "Bearer none" },
  ],
  [
    "AI Gateway with a key that is stored there",
    GATEWAY,
    AT_GATEWAY,
    { authorization: null, "x-api-key": null, "cf-aig-authorization": "Bearer gate-token" },
  ],
  [
    "AI Gateway with our key",
    { ...GATEWAY, ANTHROPIC_API_KEY: "key" },
    AT_GATEWAY,
    { authorization: null, "x-api-key": "key", "cf-aig-authorization": "Bearer gate-token" },
  ],
])("goes to %s", async (_, variables, url, headers) => {
  const asked = await sent(variables);
  expect(asked.url).toBe(url);
  expect(Object.fromEntries(Object.keys(headers).map((name) => [name, asked.headers.get(name)]))).toEqual(
    headers,
  );
  const metadata =
    "AI_GATEWAY_ID" in variables ? { task: "task_1", conversation: "conv_1", tenant: "acme" } : null;
  expect(JSON.parse(asked.headers.get("cf-aig-metadata") ?? "null")).toEqual(metadata);
});

it.each([
  ["0", 1_000],
  ["1.5", 1_500],
  ["20", 20_000],
])("waits for %s s when it is told to, and at least for one", async (after, ms) => {
  vi.spyOn(globalThis, "fetch").mockResolvedValue(
    new Response("{}", { status: 529, headers: { "retry-after": after } }),
  );
  const answer = await openClient({ ANTHROPIC_API_KEY: "key" })?.complete(request);
  expect(answer).toMatchObject({ kind: "transient", retryAfterMs: ms });
});

it("asks for the model that is named", async () => {
  expect((await sent({ ANTHROPIC_API_KEY: "key", ANTHROPIC_MODEL: "claude-haiku-5-5" })).model).toBe(
    "claude-haiku-5-5",
  );
});
