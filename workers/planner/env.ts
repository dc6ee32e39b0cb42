/** What the planner is bound to: see wrangler/planner.jsonc. */
import type { SharedSettings } from "../../shared/config.ts";
import type { Doorbell } from "../../shared/contracts/doorbell.ts";
import type { Bells } from "../../shared/queue/doorbell.ts";

export interface Env extends SharedSettings {
  DB: D1Database;
  TASKS: Queue<Doorbell>;
  REPLIES: Queue<Doorbell>;
  /** Ids of Telegram users and groups, separated by commas, or `*` for everybody. Unset: nobody. */
  TELEGRAM_ALLOWED_USERS?: string;
}

export function bellsOf(env: Env): Bells {
  return { tasks: env.TASKS, replies: env.REPLIES };
}
