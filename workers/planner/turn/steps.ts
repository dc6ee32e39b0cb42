/** A conversation as the steps that a model took in it, within a budget. */
import type { MessageContent } from "../../../shared/contracts/message.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { Transcript, TranscriptCall } from "../../../shared/store/turns.ts";
import { charsOfFile } from "./file-parts.ts";
import type { PromptFile, PromptFiles } from "./files.ts";

/** A message and what came with it. */
export interface Said {
  readonly content: MessageContent;
  readonly files: readonly PromptFile[];
}

/** One turn: what was read before the model answered, what it answered, and what it called. */
export interface Step {
  said: Said[];
  text: string | null;
  calls: readonly TranscriptCall[];
}

export interface Budgeted {
  readonly steps: readonly Step[];
  /** Their results are left out. */
  readonly shortened: ReadonlySet<TranscriptCall>;
}

/** Leaves out the oldest results, and then whole turns, where the budget ends; a call never loses its result. */
export function withinBudget(
  steps: readonly Step[],
  charsOfText: (content: MessageContent) => number,
): Budgeted {
  const charsOf = ({ said, text, calls }: Step) =>
    calls.reduce((sum, { call }) => sum + JSON.stringify(call.input).length, 0) +
    resultChars(calls) +
    (text?.length ?? 0) +
    said.reduce((sum, one) => sum + charsOfText(one.content) + charsOfFiles(one.files), 0);
  const shortened = new Set<TranscriptCall>();
  let chars = steps.reduce((sum, step) => sum + charsOf(step), 0);
  for (const call of steps.flatMap(({ calls }) => calls)) {
    if (chars <= LIMITS.prompt_history_chars_max) break;
    chars -= resultChars([call]);
    shortened.add(call);
  }
  let from = 0;
  for (; chars > LIMITS.prompt_history_chars_max && from < steps.length - 1; from++) {
    const step = steps[from];
    if (step !== undefined) chars -= charsOf(step) - resultChars(step.calls);
  }
  // What is kept begins with something that somebody said, or it would begin with the results of calls that are left out.
  while (from < steps.length - 1 && steps[from]?.said.length === 0) from++;
  return { steps: steps.slice(from), shortened };
}

function resultChars(calls: readonly TranscriptCall[]): number {
  return calls.reduce((sum, { observation }) => sum + (observation?.text.length ?? 0), 0);
}

function charsOfFiles(files: readonly PromptFile[]): number {
  return files.reduce((sum, file) => sum + charsOfFile(file), 0);
}

/** The turns in the order in which they read: each with what it read, said and called. */
export function stepsOf({ messages, turns, calls }: Transcript, files: PromptFiles): Step[] {
  const steps = new Map<string, Step>();
  const stepOf = (id: string): Step => {
    const step = steps.get(id) ?? { said: [], text: null, calls: [] };
    steps.set(id, step);
    return step;
  };
  const tasks = [...new Set(messages.map(({ turnId }) => turnId?.split("/")[0] ?? ""))];
  for (const task of tasks) {
    const read = messages.filter(({ turnId }) => (turnId?.split("/")[0] ?? "") === task);
    const answered = turns.filter(({ taskId }) => taskId === task).map(({ n }) => `${task}/${n}`);
    const ids = [...new Set([...answered, ...read.map(({ turnId }) => turnId ?? "")])];
    for (const id of ids.toSorted((a, b) => numberOf(a) - numberOf(b))) {
      const step = stepOf(id);
      step.said.push(
        ...read
          .filter(({ turnId }) => turnId === id)
          .map((message) => ({ content: message.content, files: files.get(message.id) ?? [] })),
      );
      step.text = turns.find(({ taskId, n }) => `${taskId}/${n}` === id)?.text ?? null;
      step.calls = calls.filter(({ taskId, n }) => `${taskId}/${n}` === id);
    }
  }
  return [...steps.values()];
}

/** Whatever is no turn's number was read by an end. */
function numberOf(id: string): number {
  const n = Number(id.split("/")[1]);
  return Number.isInteger(n) ? n : Number.MAX_SAFE_INTEGER;
}
