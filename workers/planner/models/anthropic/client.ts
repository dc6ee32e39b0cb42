/** The client of the Messages API. */
import { BaseAnthropic } from "@anthropic-ai/sdk/client";
import { Messages } from "@anthropic-ai/sdk/resources/messages/messages";
import { misconfigured, type Permanent, transient } from "../../../../shared/errors.ts";
import { fetchDirect } from "../../../../shared/fetch.ts";
import type { ModelAnswer, ModelClient, ModelRequest } from "../model.ts";
import { toMessageParam } from "./convert.ts";
import { classifyFailure } from "./failures.ts";
import { computeCostUsd, findPrice } from "./prices.ts";
import type { AnthropicSettings } from "./protocol.ts";
import { type Answer, readAnswer, joinText } from "./stream.ts";

const MODEL = "claude-sonnet-5-5";

/** Null: nothing is configured. A base URL alone is a server that wants no key. */
export function openClient(settings: AnthropicSettings): ModelClient | null {
  const route = chooseRoute(settings);
  if (route === null) return null;
  const model = settings.ANTHROPIC_MODEL || MODEL;
  const client = new BaseAnthropic({ ...route.options, fetch: fetchDirect, maxRetries: 0, logLevel: "off" });
  const messages = new Messages(client);
  return {
    provider: route.provider,
    price: findPrice(model, settings.ANTHROPIC_PRICE),
    async complete(request) {
      try {
        const body = {
          model,
          max_tokens: request.answerTokensMax,
          system: request.system,
          tools: request.tools.map(({ name, description, inputSchema }) => ({
            name,
            description,
            input_schema: { type: "object" as const, ...inputSchema },
          })),
          messages: request.messages.map(toMessageParam),
          stream: true as const,
        };
        const options = { signal: request.signal, headers: buildHeaders(route.provider, request) };
        const response = await messages.create(body, options).asResponse();
        request.onAccepted();
        const answer = await readAnswer(response, {
          onText: (delta) => request.onText(delta),
          onWritten: (delta) => request.onWritten(delta),
          onUsage: (usage) => request.onUsage(readUsage(model, usage, settings)),
        });
        return toAnswer(answer, settings);
      } catch (error) {
        if (request.signal.aborted) return transient("the model did not answer in time");
        return classifyFailure(error, settings);
      }
    },
  };
}

type Route = { provider: string; options: ConstructorParameters<typeof BaseAnthropic>[0] };

function chooseRoute(settings: AnthropicSettings): Route | null {
  const {
    ANTHROPIC_API_KEY: key,
    ANTHROPIC_BASE_URL: base,
    AI_GATEWAY_ACCOUNT_ID: account,
    AI_GATEWAY_ID: gateway,
    AI_GATEWAY_TOKEN: token,
  } = settings;
  if (account && gateway) {
    const baseURL = base || `https://gateway.ai.cloudflare.com/v1/${account}/${gateway}/anthropic`;
    const defaultHeaders = {
      authorization: null,
      ...(token && { "cf-aig-authorization": `Bearer ${token}` }),
      // Without a key of ours the gateway uses the one that is stored there, or its own billing.
      ...(key && { "x-api-key": key }),
    };
    return { provider: "ai-gateway", options: { baseURL, apiKey: null, authToken: null, defaultHeaders } };
  }
  if (!key && !base) return null;
  return {
    provider: base ? new URL(base).host : "anthropic",
    options: { apiKey: key || "none", ...(base && { baseURL: base }) },
  };
}

/** What AI Gateway's log is searched by. */
function buildHeaders(
  provider: string,
  { taskId, conversationId, tenantId }: ModelRequest,
): Record<string, string> {
  if (provider !== "ai-gateway") return {};
  const metadata = { task: taskId, conversation: conversationId, tenant: tenantId };
  return { "cf-aig-metadata": JSON.stringify(metadata) };
}

function toAnswer(answer: Answer | null, settings: AnthropicSettings): ModelAnswer | Permanent {
  // Whatever answers 200 at a wrong address is not typed by hope.
  if (answer === null)
    return misconfigured("what answered is not the Messages API: check ANTHROPIC_BASE_URL");
  const { content, model, usage } = answer;
  return {
    kind: "answer",
    text: joinText(answer),
    calls: content.flatMap((block) =>
      block.type === "tool_use" ? [{ name: block.name, input: block.input }] : [],
    ),
    stop: readStop(answer.stop_reason),
    model,
    usage: readUsage(model, usage, settings),
  };
}

function readStop(reason: string | null): ModelAnswer["stop"] {
  if (reason === "refusal") return "refusal";
  return reason === "max_tokens" || reason === "model_context_window_exceeded" ? "length" : "end";
}

function readUsage(model: string, usage: Answer["usage"], settings: AnthropicSettings): ModelAnswer["usage"] {
  const tokens = {
    fresh: usage.input_tokens,
    cacheWritten: usage.cache_creation_input_tokens ?? 0,
    cacheRead: usage.cache_read_input_tokens ?? 0,
    out: usage.output_tokens,
  };
  return {
    tokensIn: tokens.fresh + tokens.cacheWritten + tokens.cacheRead,
    tokensOut: tokens.out,
    costUsd: computeCostUsd(model, settings.ANTHROPIC_PRICE, tokens),
  };
}
