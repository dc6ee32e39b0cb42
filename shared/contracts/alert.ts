/** What an operator is told without asking: something is wrong with the installation, or is no more. */
import * as z from "zod/mini";

export const AlertKind = z.enum([
  /** Doorbells lie on the dead-letter desk. */
  "parked",
  /** Nothing gets through until a setting is changed. The subject is a channel, or `model`. */
  "misconfigured",
  /** The same again and again. The subject is the code of a task's error, or `queue` and its name. */
  "failing",
  /** A platform does not reach our door. The subject is its channel. */
  "webhook",
  /** It has not rung. The subject is whose: `sweep` or `watch`. */
  "clock",
]);
export type AlertKind = z.infer<typeof AlertKind>;

const AlertState = z.enum(["firing", "resolved"]);

/** One telling: the same alert told twice has two revisions. */
export const Notice = z.object({
  kind: AlertKind,
  subject: z.string(),
  revision: z.int(),
  state: AlertState,
  /** What was found, in words; of what is resolved, what it was. */
  detail: z.string(),
  /** Unix milliseconds. */
  created_at: z.int(),
});
export type Notice = z.infer<typeof Notice>;

export const noticeExample: Notice = {
  kind: "misconfigured",
  subject: "model",
  revision: 1,
  state: "firing",
  detail: "the model refuses the key",
  created_at: 1_790_000_000_000,
};
