/** What travels through every queue: "look at inbound I / task T / reply R". The truth is in D1. */
import * as z from "zod/mini";

export const QueueName = z.enum(["inbound", "tasks", "replies"]);
export type QueueName = z.infer<typeof QueueName>;

export const Doorbell = z.object({
  queue: QueueName,
  key: z.string().check(z.minLength(1), z.maxLength(100)),
});
export type Doorbell = z.infer<typeof Doorbell>;

/** A doorbell that is to be rung, and how long its message is to wait in the queue. */
export const PendingDoorbell = z.extend(Doorbell, { delay_ms: z.optional(z.int()) });
export type PendingDoorbell = z.infer<typeof PendingDoorbell>;

export const doorbellExample: Doorbell = { queue: "tasks", key: "task_3k7q2m5x8r1t6w9y4b0c2d5f7g" };
