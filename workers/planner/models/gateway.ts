/** Cloudflare's AI Gateway, which any protocol may go through. https://developers.cloudflare.com/ai-gateway/ */
import * as z from "zod/mini";
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

/** What the gateway's own failures mean; other servers' have no such codes. */
const BY_CODE: Readonly<Record<number, string>> = {
  2001: "there is no such gateway: check AI_GATEWAY_ID",
  2009: "the gateway wants its token, or another one: check AI_GATEWAY_TOKEN",
  7003: "there is no such account or gateway: check AI_GATEWAY_ACCOUNT_ID and AI_GATEWAY_ID",
  10000: "the gateway refuses AI_GATEWAY_TOKEN: it needs the permission AI Gateway Run",
};
const Codes = z.array(z.object({ code: z.number() }));
/** `error` with the gateway, `errors` with the rest of Cloudflare's API. */
const Envelope = z.object({ success: z.literal(false), error: z.optional(Codes), errors: z.optional(Codes) });

/** In words, with what mends it; null when it is not the gateway's own. */
export function explainGatewayFailure(body: unknown): string | null {
  const { error = [], errors = [] } = Envelope.safeParse(body).data ?? {};
  const [code] = [...error, ...errors].flatMap((one) => one.code);
  if (code === undefined) return null;
  return `${BY_CODE[code] ?? "the gateway refuses the request"} (code ${code})`;
}
