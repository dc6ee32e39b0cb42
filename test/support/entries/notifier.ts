import Notifier from "../../../workers/notifier/index.ts";
import { deliver } from "../proxy/batches.ts";
import { watched } from "../proxy/bindings.ts";
import { Invocation, watchFetch, within } from "../proxy/invocation.ts";

watchFetch();

type Env = ConstructorParameters<typeof Notifier>[1] & { CONTROL_URL: string };

export default class extends Notifier {
  private readonly controlUrl: string;

  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, watched(env));
    this.controlUrl = env.CONTROL_URL;
  }

  override queue(batch: MessageBatch): Promise<void> {
    const invocation = () => new Invocation(this.controlUrl, "notifier", batch.queue);
    return deliver(batch, invocation, (brought) => super.queue(brought));
  }

  override scheduled() {
    return within(new Invocation(this.controlUrl, "notifier", "clock"), () => super.scheduled());
  }

  override fetchFile(...args: Parameters<Notifier["fetchFile"]>) {
    return within(new Invocation(this.controlUrl, "notifier", "fetchFile"), () => super.fetchFile(...args));
  }
}
