/** What the notifier is bound to: see wrangler/notifier.jsonc. */
import type { SharedSettings } from "../../shared/config.ts";
import type { Doorbell } from "../../shared/contracts/doorbell.ts";
import type { Bells } from "../../shared/queue/doorbell.ts";

export interface Env extends SharedSettings {
  DB: D1Database;
  TASKS: Queue<Doorbell>;
  REPLIES: Queue<Doorbell>;
  FILES: R2Bucket;
  TELEGRAM_BOT_TOKEN?: string;
  /** Another server that speaks the Bot API. Unset: Telegram's own. */
  TELEGRAM_API_BASE?: string;
}

export function bellsOf(env: Env): Bells {
  return { tasks: env.TASKS, replies: env.REPLIES };
}
