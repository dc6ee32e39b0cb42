/** Turns without a model: tools that are commanded or called by name are called as they are asked for; free text is answered honestly. */
import type { MessageContent } from "../../../shared/contracts/message.ts";
import type { Observation } from "../../../shared/contracts/tool.ts";
import { resolveCommand, summarizeCall, type ToolCall } from "../../../shared/contracts/tools/index.ts";
import type { TaskError } from "../../../shared/contracts/task.ts";
import type { Turn, TurnKey } from "../../../shared/contracts/turn.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { formatBlock, toOneLine, truncate } from "../../../shared/text.ts";
import { type Transcript, type TranscriptMessage, wasReadIn } from "../../../shared/store/transcript.ts";

const NO_MODEL =
  "I have no model to think with, so I cannot answer this: this installation understands commands only, " +
  "such as `/run 6 * 7`.";

const QUOTE_CHARS_MAX = 120;

/** Who plans so, for the log. */
export const RULES_PROVIDER = "errand";

export function planByRules(key: TurnKey, transcript: Transcript): Turn {
  const calls = transcript.messages
    .filter(wasReadIn(key))
    .flatMap(({ content }) => wantedCall(content) ?? [])
    .slice(0, LIMITS.calls_per_turn_max);
  const { text, error } = calls.length > 0 ? { text: "", error: null } : answer(key.taskId, transcript);
  return { text, calls, model: "rules", usage: { tokensIn: 0, tokensOut: 0, costUsd: 0 }, error };
}

/** What a task has read, in any of its turns. */
function readBy(taskId: string, { messages }: Transcript): TranscriptMessage[] {
  return messages.filter(({ readBy: reader }) => reader.taskId === taskId && reader.turn !== null);
}

/** Whether everything that the task was asked can be done without a model. */
export function isForRules(taskId: string, transcript: Transcript): boolean {
  const mine = readBy(taskId, transcript);
  const spoken = mine.filter(({ content }) => !isWordless(content));
  return spoken.length > 0 ? spoken.every(({ content }) => wantedCall(content) !== null) : mine.length === 0;
}

/** Only files: a part of an album whose caption says what is wanted. */
function isWordless(content: MessageContent): boolean {
  return content.type === "text" && content.text === "";
}

function wantedCall(content: MessageContent): ToolCall | null {
  if (content.type === "call") return content.call;
  return content.command === undefined ? null : resolveCommand(content.command);
}

/** One answer for everything the task has read: each message in its words, when there are several. It fails with the first that does. */
function answer(taskId: string, transcript: Transcript): Pick<Turn, "text" | "error"> {
  const read = readBy(taskId, transcript);
  const spoken = read.filter(({ content }) => !isWordless(content));
  const mine = spoken.length > 0 ? spoken : read;
  const callsTaken = new Map<number | null, number>();
  const sections = mine.map(({ content, readBy: { turn } }): Pick<Turn, "text" | "error"> => {
    const wanted = wantedCall(content);
    if (wanted === null)
      return { text: `${quote(content)}\n\n${NO_MODEL}`, error: { code: "no_model", message: NO_MODEL } };
    const call = (callsTaken.get(turn) ?? 0) + 1;
    callsTaken.set(turn, call);
    const done = transcript.calls.find(
      (one) => one.taskId === taskId && one.turn === turn && one.call === call,
    );
    const observation = done?.observation ?? null;
    const said = observed(observation);
    const text = mine.length > 1 ? `${quote(content)}\n\n${said}` : said;
    return { text, error: observation?.ok === true ? null : toolError(observation?.error ?? said) };
  });
  if (sections.length === 0) return { text: NO_MODEL, error: { code: "no_model", message: NO_MODEL } };
  const error = sections.find((section) => section.error !== null)?.error ?? null;
  return { text: sections.map(({ text }) => text).join("\n\n"), error };
}

function toolError(message: string): TaskError {
  return { code: "tool_failed", message: truncate(message, LIMITS.error_chars_max) };
}

function observed(observation: Observation | null): string {
  if (observation === null)
    return `Not done: one turn takes at most ${LIMITS.calls_per_turn_max} calls. Send it again.`;
  const text =
    observation.text === ""
      ? "(nothing was printed or returned; statements need a `return`)"
      : observation.text;
  return observation.ok ? formatBlock(text) : `⚠️ It failed.\n\n${formatBlock(text)}`;
}

function quote(content: MessageContent): string {
  const words =
    content.type === "text"
      ? content.text || (content.files ?? []).map(({ name }) => name).join(", ")
      : `${content.call.tool} ${summarizeCall(content.call)}`;
  return `> ${toOneLine(words, QUOTE_CHARS_MAX)}`;
}
