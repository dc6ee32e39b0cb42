/** Turns without a model: tools that are commanded or called by name are called as they are asked for; free text is answered honestly. */
import type { MessageContent } from "../../../shared/contracts/message.ts";
import type { Observation } from "../../../shared/contracts/tool.ts";
import { callOfCommand, summaryOf, type ToolCall } from "../../../shared/contracts/tools/index.ts";
import type { Turn } from "../../../shared/contracts/turn.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { oneLine } from "../../../shared/text.ts";
import { turnId, type Transcript } from "../../../shared/store/turns.ts";

const NO_MODEL =
  "I have no model to think with, so I cannot answer this: this installation understands commands only, " +
  "such as `/run 6 * 7`.";

const QUOTE_CHARS_MAX = 120;

/** Who plans so, for the log. */
export const RULES_PROVIDER = "errand";

export function planByRules(taskId: string, n: number, transcript: Transcript): Turn {
  const calls = callsOf(transcript, turnId(taskId, n));
  const text = calls.length > 0 ? "" : answer(taskId, transcript);
  return { text, calls, model: "rules", usage: { tokensIn: 0, tokensOut: 0, costUsd: 0 } };
}

/** What the messages that this turn read ask to be done, in their order. */
function callsOf({ messages }: Transcript, turn: string): ToolCall[] {
  return messages
    .filter((message) => message.turnId === turn)
    .flatMap(({ content }) => wantedCall(content) ?? [])
    .slice(0, LIMITS.calls_per_turn_max);
}

/** Whether everything that the task was asked can be done without a model. */
export function isForRules(taskId: string, { messages }: Transcript): boolean {
  const mine = messages.filter((message) => message.turnId?.startsWith(`${taskId}/`) ?? false);
  const spoken = mine.filter(({ content }) => !isWordless(content));
  return spoken.length > 0 ? spoken.every(({ content }) => wantedCall(content) !== null) : mine.length === 0;
}

/** Only files: a part of an album whose caption says what is wanted. */
function isWordless(content: MessageContent): boolean {
  return content.type === "text" && content.text === "";
}

function wantedCall(content: MessageContent): ToolCall | null {
  if (content.type === "call") return content.call;
  return content.command === undefined ? null : callOfCommand(content.command);
}

/** One answer for everything the task has read: each message in its words, when there are several. */
function answer(taskId: string, { messages, calls }: Transcript): string {
  const read = messages.filter((message) => message.turnId?.startsWith(`${taskId}/`) ?? false);
  const spoken = read.filter(({ content }) => !isWordless(content));
  const mine = spoken.length > 0 ? spoken : read;
  const taken = new Map<string, number>();
  const sections = mine.map(({ content, turnId: turn }) => {
    const wanted = wantedCall(content);
    if (wanted === null) return `${quote(content)}\n\n${NO_MODEL}`;
    const key = turn ?? "";
    const k = (taken.get(key) ?? 0) + 1;
    taken.set(key, k);
    const call = calls.find((done) => turnId(done.taskId, done.n) === key && done.k === k);
    const said = observed(call?.observation ?? null);
    return mine.length > 1 ? `${quote(content)}\n\n${said}` : said;
  });
  return sections.join("\n\n") || NO_MODEL;
}

function observed(observation: Observation | null): string {
  if (observation === null)
    return `Not done: one turn takes at most ${LIMITS.calls_per_turn_max} calls. Send it again.`;
  const text =
    observation.text === ""
      ? "(nothing was printed or returned; statements need a `return`)"
      : observation.text;
  return observation.ok ? fence(text) : `⚠️ It failed.\n\n${fence(text)}`;
}

/** A code block whose fence is longer than any run of backticks inside. */
function fence(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}\n${text}\n${ticks}`;
}

function quote(content: MessageContent): string {
  const words =
    content.type === "text"
      ? content.text || (content.files ?? []).map(({ name }) => name).join(", ")
      : `${content.call.tool} ${summaryOf(content.call)}`;
  return `> ${oneLine(words, QUOTE_CHARS_MAX)}`;
}
