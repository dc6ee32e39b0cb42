/** One attempt at a reply: what is wanted, what is shown, and the way to its conversation. */
import type { Timings } from "../../shared/limits.ts";
import type { Reply } from "../../shared/store/lease-reply.ts";
import type { Lease } from "../../shared/store/statements/guards.ts";
import type { AnyClient } from "./channels/client.ts";
import type { Env } from "./env.ts";

export interface Attempt {
  readonly env: Env;
  readonly timings: Timings;
  readonly lease: Lease;
  readonly reply: Reply;
}

/** An attempt with a client that can send. */
export interface OpenAttempt extends Attempt {
  readonly client: AnyClient;
}

/** What the log is told of it. */
export function getLogFacts({ reply }: Attempt) {
  return {
    stage: "notifier" as const,
    session_id: reply.conversation_id,
    ...(reply.id.startsWith("task_") ? { task_id: reply.id } : { key: reply.id }),
    channel: reply.channel,
  };
}

/** The message that shows a part. */
export function findShownId({ reply }: Attempt, part: number): string | undefined {
  const delivery = reply.deliveries.find((one) => one.part === part && one.state === "shown");
  return delivery?.external_id ?? undefined;
}

/**
 * How a reply is shown. `drafts`: what is said meanwhile is a draft, and the answer a message. `placeholder`: what is said meanwhile
 * is a message that becomes the answer. `final`: there is nothing but the answer.
 */
export function chooseWay({ client }: OpenAttempt): "drafts" | "placeholder" | "final" {
  if (client.drafts !== null) return "drafts";
  return client.editing === null ? "final" : "placeholder";
}
