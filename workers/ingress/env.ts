/** What ingress is bound to: see wrangler/ingress.jsonc. */
import type { ChannelVariable } from "../../shared/channels/index.ts";
import type { Doorbell } from "../../shared/contracts/doorbell.ts";
import type { Bells } from "../../shared/queue/doorbell.ts";
import type { OwnVariable, SettingsOf } from "../../shared/variables.ts";

export interface Env extends SettingsOf<OwnVariable | ChannelVariable, "ingress"> {
  DB: D1Database;
  VERSION?: WorkerVersionMetadata;
  INBOUND: Queue<Doorbell>;
  TASKS: Queue<Doorbell>;
  REPLIES: Queue<Doorbell>;
  DEAD_LETTERS: Queue<Doorbell>;
  FILES: R2Bucket;
}

export function getBells(env: Env): Bells {
  return { inbound: env.INBOUND, tasks: env.TASKS, replies: env.REPLIES };
}
