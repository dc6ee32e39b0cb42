/** The planner: triages what came in (`queue`), and plans the next turn when the executor asks (`nextTurn`). */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { PlannerRpc } from "../../shared/contracts/rpc.ts";
import type { NextTurn } from "../../shared/contracts/turn.ts";
import { consume } from "../../shared/queue/consume.ts";
import { announceVersion } from "../../shared/version.ts";
import { getBells, type Env } from "./env.ts";
import { openModel } from "./models/index.ts";
import { triage } from "./triage/triage.ts";
import { nextTurn, type OpenModel } from "./turn/next-turn.ts";

export default class Planner extends WorkerEntrypoint<Env> implements PlannerRpc {
  /** The model that is configured. A field, for methods can be called by other Workers. */
  protected readonly openModel: OpenModel = () => openModel(this.env);

  override async queue(batch: MessageBatch): Promise<void> {
    const { env } = this;
    announceVersion(env, "planner", (work) => this.ctx.waitUntil(work));
    const reconcile = (keys: readonly string[]) => triage(env, keys);
    await consume(batch, { stage: "planner", db: env.DB, bells: getBells(env), reconcile });
  }

  nextTurn(taskId: string, turn: number): Promise<NextTurn> {
    announceVersion(this.env, "planner", (work) => this.ctx.waitUntil(work));
    return nextTurn(this.env, this.openModel, { taskId, turn });
  }
}
