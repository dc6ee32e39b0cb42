/** Words that more than one Worker says. */
import type { ToolCall } from "./contracts/tool.ts";
import { oneLine } from "./text.ts";

/** `{unread}` is filled in by the batch that stops the task: only it knows what was waiting. */
export const STOPPED = "⏹ Stopped.{unread}";
export const UNREAD_WORDS = " Unread messages that went with it: {n}.";

const TITLE_CHARS_MAX = 60;

/** A call in a few words, for step names and the log. */
export function titleOf(call: ToolCall): string {
  return oneLine(call.tool === "run_code" ? call.input.code : call.input.name, TITLE_CHARS_MAX);
}

/** The button under what is shown while a task runs. Telegram takes 64 bytes of data. */
export const stopButtonOf = (taskId: string) => ({ label: "⏹ Stop", data: `stop:${taskId}` });

/** The task that a button stops; null for another button. */
export function taskOfStopButton(data: string): string | null {
  return /^stop:(task_[0-9a-z]{26})$/.exec(data)?.[1] ?? null;
}
