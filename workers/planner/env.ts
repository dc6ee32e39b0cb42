/** What the planner is bound to: see wrangler/planner.jsonc. */
import type { ChannelVariable } from "../../shared/channels/index.ts";
import type { Doorbell } from "../../shared/contracts/doorbell.ts";
import type { NotifierRpc } from "../../shared/contracts/rpc.ts";
import type { Bells } from "../../shared/queue/doorbell.ts";
import type { OwnVariable, SettingsOf } from "../../shared/variables.ts";

export interface Env extends SettingsOf<OwnVariable | ChannelVariable, "planner"> {
  DB: D1Database;
  TASKS: Queue<Doorbell>;
  REPLIES: Queue<Doorbell>;
  FILES: R2Bucket;
  NOTIFIER: NotifierRpc;
  /** What a model protocol is configured by: its `protocol.ts` describes them. */
  [variable: string]: unknown;
}

export function bellsOf(env: Env): Bells {
  return { tasks: env.TASKS, replies: env.REPLIES };
}
