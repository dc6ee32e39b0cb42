import Planner from "../../../workers/planner/index.ts";
import { deliver } from "../proxy/batches.ts";
import { watched } from "../proxy/bindings.ts";
import { Invocation, watchFetch, within } from "../proxy/invocation.ts";

watchFetch();

type Env = ConstructorParameters<typeof Planner>[1] & { CONTROL_URL: string };

export default class extends Planner {
  private readonly controlUrl: string;

  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, watched(env));
    this.controlUrl = env.CONTROL_URL;
  }

  override queue(batch: MessageBatch): Promise<void> {
    const invocation = () => new Invocation(this.controlUrl, "planner", batch.queue);
    return deliver(batch, invocation, (brought) => super.queue(brought));
  }

  override nextTurn(taskId: string, n: number) {
    return within(new Invocation(this.controlUrl, "planner", `nextTurn ${n}`), () =>
      super.nextTurn(taskId, n),
    );
  }
}
