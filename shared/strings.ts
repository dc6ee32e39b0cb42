/** What more than one Worker says, or reads. */

/** `{unread}` is filled in by the batch that stops the task: only it knows what was waiting. */
export const STOPPED = "⏹ Stopped.{unread}";
export const UNREAD_TEXT = " Unread messages that went with it: {n}.";

/** The button under what is shown while a task runs. Platforms take no more than 64 bytes of data. */
export const makeStopButton = (taskId: string) => ({ label: "⏹ Stop", data: `stop:${taskId}` });

/** The task that a button stops; null for another button. */
export function parseStopButton(data: string): string | null {
  return /^stop:(task_[0-9a-z]{26})$/.exec(data)?.[1] ?? null;
}
