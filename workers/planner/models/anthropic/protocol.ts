/** The Messages API: Anthropic itself, AI Gateway, and servers on one's own machine that speak it. */
import { URL_SHAPE, type Variable } from "../../../../shared/variables.ts";
import { defineProtocol, type ProtocolSettings } from "../protocol.ts";

const VARIABLES = [
  {
    name: "ANTHROPIC_API_KEY",
    workers: ["planner"],
    secret: true,
    about: [
      "The model: a key of Anthropic's. Or, without one, a server of your own that speaks its Messages API, in ANTHROPIC_BASE_URL.",
    ],
    shape: { pattern: /^(?!https?:)\S+$/, words: "a key, and no address: that is ANTHROPIC_BASE_URL" },
  },
  {
    name: "ANTHROPIC_BASE_URL",
    workers: ["planner"],
    secret: false,
    about: ["The server, without /v1. Empty: https://api.anthropic.com"],
    shape: URL_SHAPE("http://localhost:11434"),
  },
  { name: "ANTHROPIC_MODEL", workers: ["planner"], secret: false, about: ["Empty: claude-sonnet-5-5"] },
  {
    name: "ANTHROPIC_PRICE",
    workers: ["planner"],
    secret: false,
    about: [
      "Dollars per million tokens in and out, such as 2/10, for a model whose price Errand does not know.",
    ],
    shape: {
      pattern: /^\d+(\.\d+)?\/\d+(\.\d+)?$/,
      words: "dollars per million tokens in and out, such as 2/10",
    },
  },
] as const satisfies readonly Variable[];

export type AnthropicSettings = ProtocolSettings<(typeof VARIABLES)[number]>;

export const anthropic = defineProtocol({
  name: "anthropic",
  variables: VARIABLES,
  either: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"],
  describe: (settings) => {
    const { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: base, ANTHROPIC_MODEL: model } = settings;
    const named = model ? `${model} ` : "";
    if (settings.AI_GATEWAY_ACCOUNT_ID && settings.AI_GATEWAY_ID)
      return `${named}through AI Gateway "${settings.AI_GATEWAY_ID}"`;
    return key || base ? `${named}at ${base || "Anthropic"}` : null;
  },
  open: async (settings) => {
    const { openClient } = await import("./client.ts");
    return openClient(settings);
  },
});
