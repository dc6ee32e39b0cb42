/** What the planner is bound to: see wrangler/planner.jsonc. */
import type { SharedSettings } from "../../shared/config.ts";
import type { Doorbell } from "../../shared/contracts/doorbell.ts";
import type { NotifierRpc } from "../../shared/contracts/rpc.ts";
import type { Bells } from "../../shared/queue/doorbell.ts";

export interface Env extends SharedSettings {
  DB: D1Database;
  TASKS: Queue<Doorbell>;
  REPLIES: Queue<Doorbell>;
  FILES: R2Bucket;
  NOTIFIER: NotifierRpc;
  ANTHROPIC_API_KEY?: string;
  /** A server that speaks the Messages API, without `/v1`: a gateway, Ollama, another local one. */
  ANTHROPIC_BASE_URL?: string;
  ANTHROPIC_MODEL?: string;
  /** Dollars per million tokens, in and out, such as `2/10`: for a model whose price is not in models/prices.ts. */
  ANTHROPIC_PRICE?: string;
  AI_GATEWAY_ACCOUNT_ID?: string;
  AI_GATEWAY_ID?: string;
  AI_GATEWAY_TOKEN?: string;
  /** Ids of Telegram users and groups, separated by commas, or `*` for everybody. Others have to be admitted. */
  TELEGRAM_ALLOWED_USERS?: string;
}

export function bellsOf(env: Env): Bells {
  return { tasks: env.TASKS, replies: env.REPLIES };
}
