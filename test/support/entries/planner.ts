import Planner from "../../../workers/planner/index.ts";
import { instrument } from "./instrument.ts";

export default class extends Planner {
  constructor(ctx: ExecutionContext, env: ConstructorParameters<typeof Planner>[1] & { LEDGER_URL: string }) {
    super(ctx, instrument(env, "planner"));
  }
}
