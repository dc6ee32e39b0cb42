/** Cloudflare's AI Gateway, which any protocol may go through. https://developers.cloudflare.com/ai-gateway/ */
import type { Variable } from "../../../shared/variables.ts";

export const GATEWAY_VARIABLES = [
  {
    name: "AI_GATEWAY_ACCOUNT_ID",
    workers: ["planner"],
    secret: false,
    about: [
      "Through Cloudflare's AI Gateway: with the key that is stored there or its billing, or with a key of yours.",
    ],
  },
  {
    name: "AI_GATEWAY_ID",
    workers: ["planner"],
    secret: false,
    about: ["The gateway's name: it goes together with the account."],
  },
  { name: "AI_GATEWAY_TOKEN", workers: ["planner"], secret: true, about: ["For a gateway that wants one."] },
] as const satisfies readonly Variable[];
export type GatewayVariable = (typeof GATEWAY_VARIABLES)[number];

/** Pairs of which one alone is a mistake. */
export const GATEWAY_TOGETHER = [["AI_GATEWAY_ACCOUNT_ID", "AI_GATEWAY_ID"]] as const;
