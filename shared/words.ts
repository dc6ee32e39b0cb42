/** Sentences that more than one Worker says. */

/** `{unread}` is filled in by the batch that stops the task: only it knows what was waiting. */
export const STOPPED = "⏹ Stopped.{unread}";
export const UNREAD_WORDS = " Unread messages that went with it: {n}.";
