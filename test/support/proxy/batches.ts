/** Queue batches as a queue may bring them: twice, reversed, split, stale, to two consumers at once; acknowledgements are effects. */
import { type Invocation, within } from "./invocation.ts";

type Handler = (batch: MessageBatch) => Promise<void>;
type QueueRetryOptions = Parameters<Message["retry"]>[0];

/** What a handler said of a message. */
type Said = { kind: "ack" } | { kind: "retry"; options: QueueRetryOptions };

/** The last message of each queue's earlier batches. */
const stale = new Map<string, Message>();

export async function deliver(
  batch: MessageBatch,
  invocationOf: () => Invocation,
  handler: Handler,
): Promise<void> {
  const said = new Map<Message, Said>();
  const once = async (messages: readonly Message[]) => {
    const invocation = invocationOf();
    const mine = new Map<Message, Said>();
    await within(invocation, () =>
      handler({ ...facadeOf(batch), messages: messages.map((one) => heard(one, mine)) }),
    );
    await invocation.effect({ kind: "ack", name: batch.queue, statements: messages.length }, () =>
      Promise.resolve(),
    );
    // Whoever wants to look again gets to, whatever the others say.
    for (const [message, verdict] of mine) {
      if (said.get(message)?.kind !== "retry") said.set(message, verdict);
    }
  };
  const [...messages] = batch.messages;
  const old = stale.get(batch.queue);
  const last = messages.at(-1);
  if (last !== undefined) stale.set(batch.queue, last);
  switch (await invocationOf().delivery()) {
    case "once":
      await once(messages);
      break;
    case "twice":
      await once(messages);
      await once(messages);
      break;
    case "reversed":
      await once(messages.toReversed());
      break;
    case "split":
      for (const message of messages) await once([message]);
      break;
    case "stale":
      await once(old === undefined ? messages : [...messages, old]);
      break;
    case "interleaved":
      await Promise.all([once(messages), once(messages)]);
      break;
  }
  for (const message of messages) {
    const verdict = said.get(message);
    if (verdict?.kind === "ack") message.ack();
    else if (verdict?.kind === "retry") message.retry(verdict.options);
  }
}

function facadeOf(batch: MessageBatch): Omit<MessageBatch, "messages"> {
  return {
    queue: batch.queue,
    metadata: batch.metadata,
    ackAll: () => batch.ackAll(),
    retryAll: (options) => batch.retryAll(options),
  };
}

/** The message, with what is said of it kept until the handler has returned: a crash acknowledges nothing. */
function heard(message: Message, said: Map<Message, Said>): Message {
  const { id, timestamp, body, attempts } = message;
  return {
    id,
    timestamp,
    body,
    attempts,
    ack: () => void said.set(message, { kind: "ack" }),
    retry: (options?: QueueRetryOptions) => void said.set(message, { kind: "retry", options }),
  } as Message;
}
