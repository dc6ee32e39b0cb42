/** What the notifier is bound to: see wrangler/notifier.jsonc. */
import type { ChannelVariable } from "../../shared/channels/index.ts";
import type { Doorbell } from "../../shared/contracts/doorbell.ts";
import type { Bells } from "../../shared/queue/doorbell.ts";
import type { OwnVariable, SettingsOf } from "../../shared/variables.ts";

export interface Env extends SettingsOf<OwnVariable | ChannelVariable, "notifier"> {
  DB: D1Database;
  VERSION?: WorkerVersionMetadata;
  TASKS: Queue<Doorbell>;
  REPLIES: Queue<Doorbell>;
  FILES: R2Bucket;
  /** What the installation is called, and where it is reached; not there on one's own machine. */
  INSTALLATION?: string;
  INSTALLATION_URL?: string;
  /** The name of the queue whose messages nobody could handle. */
  DEAD_LETTER_QUEUE: string;
}

export function getBells(env: Env): Bells {
  return { tasks: env.TASKS, replies: env.REPLIES };
}
