/** What ingress is bound to: see wrangler/ingress.jsonc. */
import type { SharedSettings } from "../../shared/config.ts";
import type { Doorbell } from "../../shared/contracts/doorbell.ts";
import type { Bells } from "../../shared/queue/doorbell.ts";

export interface Env extends SharedSettings {
  DB: D1Database;
  INBOUND: Queue<Doorbell>;
  TASKS: Queue<Doorbell>;
  REPLIES: Queue<Doorbell>;
  DEAD_LETTERS: Queue<Doorbell>;
  FILES: R2Bucket;
  /** Signs links to artifacts. Without it there are none. */
  ERRAND_LINK_SECRET?: string;
  TELEGRAM_WEBHOOK_SECRET?: string;
  /** The part of the bot's token before the colon. */
  TELEGRAM_BOT_ID?: string;
  /** Without it nobody can tell whether a message in a group mentions the bot. */
  TELEGRAM_BOT_USERNAME?: string;
}

export function bellsOf(env: Env): Bells {
  return { inbound: env.INBOUND, tasks: env.TASKS, replies: env.REPLIES };
}
