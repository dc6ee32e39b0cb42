/** A conversation as the steps that a model took in it, within a budget. */
import type { MessageContent } from "../../../shared/contracts/message.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { Transcript, TranscriptCall } from "../../../shared/store/transcript.ts";
import { countFileChars, SEEN_CHARS } from "./file-parts.ts";
import type { PromptFile, PromptFiles } from "./files.ts";

/** A message and what came with it. */
export interface Said {
  readonly content: MessageContent;
  readonly files: readonly PromptFile[];
}

/** One turn: what was read before the model answered, what it answered, and what it called. */
export interface Step {
  readonly said: readonly Said[];
  readonly text: string | null;
  readonly calls: readonly TranscriptCall[];
}

export interface Budgeted {
  readonly steps: readonly Step[];
  /** Their results are left out. */
  readonly shortened: ReadonlySet<TranscriptCall>;
}

/** Leaves out the oldest results, and then whole turns, where the budget ends; a call never loses its result. */
export function applyBudget(
  steps: readonly Step[],
  charsOfText: (content: MessageContent) => number,
): Budgeted {
  const countChars = ({ said, text, calls }: Step) =>
    calls.reduce((sum, { made }) => sum + JSON.stringify(made.input).length, 0) +
    countResultChars(calls) +
    (text?.length ?? 0) +
    said.reduce((sum, one) => sum + charsOfText(one.content) + countFilesChars(one.files), 0);
  const shortened = new Set<TranscriptCall>();
  let chars = steps.reduce((sum, step) => sum + countChars(step), 0);
  for (const call of steps.flatMap(({ calls }) => calls)) {
    if (chars <= LIMITS.prompt_history_chars_max) break;
    chars -= countResultChars([call]);
    shortened.add(call);
  }
  let from = 0;
  for (; chars > LIMITS.prompt_history_chars_max && from < steps.length - 1; from++) {
    const step = steps[from];
    if (step !== undefined) chars -= countChars(step) - countResultChars(step.calls);
  }
  // What is kept begins with something that somebody said, or it would begin with the results of calls that are left out.
  while (from < steps.length - 1 && steps[from]?.said.length === 0) from++;
  return { steps: steps.slice(from), shortened };
}

function countResultChars(calls: readonly TranscriptCall[]): number {
  return calls.reduce(
    (sum, { observation: seen }) =>
      sum + (seen === null ? 0 : seen.text.length + seen.images.length * SEEN_CHARS),
    0,
  );
}

function countFilesChars(files: readonly PromptFile[]): number {
  return files.reduce((sum, file) => sum + countFileChars(file), 0);
}

/** The turns in the order in which they read: each with what it read, said and called. What an end has read is a step of its own, the task's last. */
export function buildSteps({ messages, turns, calls }: Transcript, files: PromptFiles): Step[] {
  const tasks = [...new Set(messages.map(({ readBy }) => readBy.taskId))];
  return tasks.flatMap((taskId) => {
    const read = messages.filter(({ readBy }) => readBy.taskId === taskId);
    const answered = turns.filter((turn) => turn.taskId === taskId);
    const numbers = new Set([...answered.map(({ turn }) => turn), ...read.map(({ readBy }) => readBy.turn)]);
    return [...numbers]
      .toSorted((a, b) => (a ?? Infinity) - (b ?? Infinity))
      .map((turn): Step => ({
        said: read
          .filter(({ readBy }) => readBy.turn === turn)
          .map(({ id, content }) => ({ content, files: files.get(id) ?? [] })),
        text: answered.find((one) => one.turn === turn)?.text ?? null,
        calls: calls.filter((call) => call.taskId === taskId && call.turn === turn),
      }));
  });
}
