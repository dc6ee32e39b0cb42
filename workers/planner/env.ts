/** What the planner is bound to: see wrangler/planner.jsonc. */
import type { ChannelVariable } from "../../shared/channels/index.ts";
import type { Doorbell } from "../../shared/contracts/doorbell.ts";
import type { NotifierRpc } from "../../shared/contracts/rpc.ts";
import type { Bells } from "../../shared/queue/doorbell.ts";
import type { ModelVariable } from "./models/index.ts";
import type { OwnVariable, SettingsOf } from "../../shared/variables.ts";

export interface Env extends SettingsOf<OwnVariable | ChannelVariable | ModelVariable, "planner"> {
  DB: D1Database;
  VERSION?: WorkerVersionMetadata;
  TASKS: Queue<Doorbell>;
  REPLIES: Queue<Doorbell>;
  FILES: R2Bucket;
  NOTIFIER: NotifierRpc;
  /** Its name, where a deploy gave it one: commands to type are told with it. */
  INSTALLATION?: string;
}

export function getBells(env: Env): Bells {
  return { tasks: env.TASKS, replies: env.REPLIES };
}
