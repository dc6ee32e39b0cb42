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
