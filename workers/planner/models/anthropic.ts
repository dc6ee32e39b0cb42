/** The Messages API: Anthropic itself, AI Gateway, and servers on one's own machine that speak it. */
import { BaseAnthropic } from "@anthropic-ai/sdk/client";
import { Messages } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { OFFERED_TOOLS, ToolCall } from "../../../shared/contracts/tool.ts";
import type { Turn } from "../../../shared/contracts/turn.ts";
import { permanent, type Permanent, transient, type Transient } from "../../../shared/errors.ts";
import { fetchDirect } from "../../../shared/fetch.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { Env } from "../env.ts";
import { promptOf, SYSTEM } from "../prompt.ts";
import { type Answer, readAnswer, wordsOf } from "./anthropic-stream.ts";
import { failureOf } from "./anthropic-failures.ts";
import type { ModelClient, Refused, TurnRequest } from "./index.ts";
import { costUsdOf } from "./prices.ts";

// The faults of a call are told to the model in words.
z.config(en());

const MODEL = "claude-sonnet-5-5";

const TOOLS = OFFERED_TOOLS.map(({ name, description, input }) => ({
  name,
  description,
  input_schema: { type: "object" as const, ...withoutDialect(z.toJSONSchema(input)) },
}));

/** Null: nothing is configured. A base URL alone is a server that wants no key. */
export function anthropicOf(env: Env): ModelClient | null {
  const route = routeOf(env);
  if (route === null) return null;
  const model = env.ANTHROPIC_MODEL || MODEL;
  const client = new BaseAnthropic({ ...route.options, fetch: fetchDirect, maxRetries: 0, logLevel: "off" });
  const messages = new Messages(client);
  return {
    provider: route.provider,
    async next(request: TurnRequest): Promise<Turn | Transient | Permanent | Refused> {
      try {
        const body = {
          model,
          max_tokens: LIMITS.answer_tokens_max,
          system: SYSTEM,
          tools: TOOLS,
          messages: promptOf(request.transcript, request.files),
          stream: true as const,
        };
        const options = { signal: request.signal, headers: headersOf(route.provider, request) };
        const response = await messages.create(body, options).asResponse();
        return turnOf(await readAnswer(response, (delta) => request.heard(delta)), env);
      } catch (error) {
        if (request.signal.aborted) return transient("the model did not answer in time");
        return failureOf(error, env);
      }
    },
  };
}

type Route = { provider: string; options: ConstructorParameters<typeof BaseAnthropic>[0] };

function routeOf(env: Env): Route | null {
  const {
    ANTHROPIC_API_KEY: key,
    ANTHROPIC_BASE_URL: base,
    AI_GATEWAY_ACCOUNT_ID: account,
    AI_GATEWAY_ID: gateway,
  } = env;
  if (account && gateway) {
    const baseURL = base || `https://gateway.ai.cloudflare.com/v1/${account}/${gateway}/anthropic`;
    const defaultHeaders = {
      authorization: null,
      ...(env.AI_GATEWAY_TOKEN && { "cf-aig-authorization": `Bearer ${env.AI_GATEWAY_TOKEN}` }),
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
function headersOf(provider: string, { taskId, transcript }: TurnRequest): Record<string, string> {
  if (provider !== "ai-gateway") return {};
  const metadata = { task: taskId, conversation: transcript.conversationId, tenant: transcript.tenantId };
  return { "cf-aig-metadata": JSON.stringify(metadata) };
}

function turnOf(answer: Answer | null, env: Env): Turn | Permanent {
  // Whatever answers 200 at a wrong address is not typed by hope.
  if (answer === null) return permanent("what answered is not the Messages API: check ANTHROPIC_BASE_URL");
  const { content, model, usage } = answer;
  const text = wordsOf(answer);
  const calls = content.flatMap((block) => (block.type === "tool_use" ? [callOf(block)] : []));
  const turn = (words: string, made: ToolCall[] = []): Turn => ({
    text: words,
    calls: made,
    model,
    usage: usageOf(model, usage, env),
  });
  switch (answer.stop_reason) {
    case "refusal":
      return turn(text || "The model declined to answer this.");
    case "max_tokens":
    case "model_context_window_exceeded":
      // A call that was cut off may lack half of its input.
      return turn(`${text === "" ? "" : `${text}\n\n`}… (the model reached the end of what it may write)`);
    default:
      if (calls.length > 0) return turn(text, calls.slice(0, LIMITS.calls_answered_max).map(unlessTooMany));
      return text.trim() === "" ? permanent("the model gave an empty answer") : turn(text);
  }
}

function usageOf(model: string, usage: Answer["usage"], env: Env): Turn["usage"] {
  const tokens = {
    fresh: usage.input_tokens,
    cacheWritten: usage.cache_creation_input_tokens ?? 0,
    cacheRead: usage.cache_read_input_tokens ?? 0,
    out: usage.output_tokens,
  };
  return {
    tokensIn: tokens.fresh + tokens.cacheWritten + tokens.cacheRead,
    tokensOut: tokens.out,
    costUsd: costUsdOf(model, env.ANTHROPIC_PRICE, tokens),
  };
}

/** The call, or the reason why there is no such call. */
function callOf({ name, input }: { name: string; input?: unknown }): ToolCall {
  const call = ToolCall.safeParse({ tool: name, input });
  if (call.success && call.data.tool !== "invalid_call") return call.data;
  return { tool: "invalid_call", input: { name, input, reason: faultOf(name, input) } };
}

/** Whoever is told nothing believes that it was done. */
function unlessTooMany(call: ToolCall, index: number): ToolCall {
  if (index < LIMITS.calls_per_turn_max) return call;
  const { tool: name, input } =
    call.tool === "invalid_call" ? { tool: call.input.name, input: call.input.input } : call;
  const reason = `one turn takes at most ${LIMITS.calls_per_turn_max} calls: make it again in the next`;
  return { tool: "invalid_call", input: { name, input, reason } };
}

function faultOf(name: string, input: unknown): string {
  const offered = OFFERED_TOOLS.find((tool) => tool.name === name);
  if (offered === undefined) return "there is no such tool";
  const parsed = z.safeParse(offered.input, input);
  return parsed.success ? "it is not for you to call" : z.prettifyError(parsed.error);
}

function withoutDialect({ $schema: _dialect, ...schema }: z.core.JSONSchema.BaseSchema): object {
  return schema;
}
